"""A maintenance window opens when the clock on the wall says so, in every time zone, on the nights the clocks change too."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.window import Blackout, CatchUp, Due, Timing, Window, due

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "Pacific/Apia")
"""Among them one that skips half an hour, one that skips midnight, and one that once skipped a whole day."""
MOMENTS = st.integers(1_262_304_000, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""From 2010 to 2035."""
BEGINS = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
DAYS = st.sampled_from(["*", "SUN", "MON-FRI", "SAT,SUN", "TUE#2", "5L", "L * *", "1 */3 *"])
LENGTHS = st.integers(5, 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
WINDOWS = st.builds(Window, days=DAYS, begin=BEGINS, length=LENGTHS, time_zone=st.sampled_from(ZONES))
EVERY = st.integers(5, 600).map(lambda minutes: timedelta(minutes=minutes))
BERLIN_NIGHT = Window(days="SUN", begin="02:30", length=3 * HOUR, time_zone="Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def exists(moment: datetime) -> bool:
    """Whether clocks ever show it: in spring some times are skipped."""
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return back.replace(tzinfo=None) == moment.replace(tzinfo=None)


@given(WINDOWS, MOMENTS)
def test_the_next_one_begins_later_and_lasts_as_long_as_it_should(window: Window, now: datetime) -> None:
    found = window.next(now)
    assert found is not None
    assert found.begins > now
    assert found.ends - found.begins == window.length


@given(WINDOWS, MOMENTS)
def test_it_begins_when_the_clock_says_so_or_right_after_a_skipped_hour(window: Window, now: datetime) -> None:
    found = window.next(now)
    assert found is not None
    local = found.begins.astimezone(ZoneInfo(window.time_zone))
    skipped = not exists(datetime.combine((local - timedelta(minutes=1)).date(), time.fromisoformat(window.begin), local.tzinfo))
    skipped |= not exists(datetime.combine(local.date(), time.fromisoformat(window.begin), local.tzinfo))
    just_changed = (found.begins - timedelta(minutes=1)).astimezone(local.tzinfo).utcoffset() != local.utcoffset()
    assert f"{local:%H:%M}" == window.begin or (skipped and just_changed)


@given(WINDOWS, MOMENTS)
def test_in_the_doubled_hour_it_begins_the_first_time_only(window: Window, now: datetime) -> None:
    found = window.next(now)
    assert found is not None
    assert found.begins.astimezone(ZoneInfo(window.time_zone)).fold == 0


@given(BEGINS, st.sampled_from(ZONES), st.dates(date(2012, 1, 1), date(2035, 1, 1)))
def test_a_daily_window_opens_once_on_every_date(begin: str, zone: str, first: date) -> None:
    window = Window(days="*", begin=begin, length=HOUR, time_zone=zone)
    midnight = datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC)
    dates = []
    for occurrence in window.occurrences(midnight - DAY):
        dates.append(occurrence.begins.astimezone(ZoneInfo(zone)).date())
        if len(dates) == 10:
            break
    assert dates == [dates[0] + number * DAY for number in range(10)]


@given(WINDOWS, MOMENTS, st.integers(-2000, 2000))
def test_one_is_open_exactly_from_its_beginning_to_its_end(window: Window, now: datetime, minutes: int) -> None:
    found = window.next(now)
    assert found is not None
    moment = found.begins + timedelta(minutes=minutes)
    current = window.current(moment)
    assert current is None or current.is_open(moment)
    assert current is not None or not found.is_open(moment)


@pytest.mark.parametrize(
    ("night", "begins", "ends"),
    [
        ("2026-03-28T12:00", "2026-03-29T01:00", "2026-03-29T04:00"),  # 02:30 is skipped: 03:00 summer time
        ("2026-10-24T12:00", "2026-10-25T00:30", "2026-10-25T03:30"),  # 02:30 comes twice: summer time
        ("2026-11-07T12:00", "2026-11-08T01:30", "2026-11-08T04:30"),
    ],
)
def test_three_hours_are_three_hours_when_the_clocks_change(night: str, begins: str, ends: str) -> None:
    found = BERLIN_NIGHT.next(utc(night))
    assert found is not None
    assert (found.begins, found.ends) == (utc(begins), utc(ends))


def test_the_second_half_of_a_doubled_hour_has_no_beginning_of_its_own() -> None:
    window = Window(days="*", begin="02:30", length=HOUR, time_zone="Europe/Berlin")
    found = window.next(utc("2026-10-25T01:10"))  # 02:10, the second time
    assert found is not None
    assert found.begins == utc("2026-10-26T01:30")


@given(WINDOWS, MOMENTS)
def test_nothing_takes_place_on_a_blackout_date(window: Window, now: datetime) -> None:
    first = window.next(now)
    assert first is not None
    zone = ZoneInfo(window.time_zone)
    closed = Blackout(first=first.begins.astimezone(zone).date(), last=(first.begins + 9 * DAY).astimezone(zone).date())
    later = Window(**{**vars(window), "blackouts": (closed,)}).next(now)
    assert later is not None
    assert later.begins.astimezone(zone).date() > closed.last


def test_a_window_that_runs_into_a_blackout_does_not_take_place() -> None:
    window = Window(days="*", begin="23:00", length=2 * HOUR, blackouts=(Blackout(first=date(2026, 12, 24), last=date(2026, 12, 26)),))
    found = window.next(utc("2026-12-22T23:30"))
    assert found is not None
    assert found.begins == utc("2026-12-27T23:00")


def due_at(now: str, catch_up: CatchUp, *closed: date) -> Due | None:
    window = Window(days="SUN", begin="02:00", length=2 * HOUR, blackouts=tuple(Blackout(first=day, last=day) for day in closed))
    return due(window, since=utc("2026-11-01T02:00"), now=utc(now), catch_up=catch_up)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_an_open_window_is_due_whatever_was_missed_before(catch_up: CatchUp) -> None:
    found = due_at("2026-11-22T02:00", catch_up)
    assert found is not None
    assert (found.timing, found.missed, found.occurrence.begins) == (Timing.NOW, 2, utc("2026-11-22T02:00"))


def test_a_missed_window_is_caught_up_soon_or_left_to_the_next_one() -> None:
    timings = [found.timing for way in (CatchUp.SOON, CatchUp.NEXT_WINDOW) if (found := due_at("2026-11-08T09:00", way))]
    assert timings == [Timing.LATE, Timing.MISSED]


def test_nothing_is_caught_up_on_a_blackout_date() -> None:
    found = due_at("2026-11-09T09:00", CatchUp.SOON, date(2026, 11, 9))
    assert found is not None
    assert found.timing is Timing.MISSED


def test_nothing_is_due_before_the_next_window() -> None:
    assert due_at("2026-11-08T01:59", CatchUp.SOON) is None


@pytest.mark.parametrize(("days", "wanted"), [("MON-SUN", 7), ("SAT-SUN", 2), ("fri-sun,TUE", 4), ("SUN", 1)])
def test_a_range_of_days_may_end_with_sunday(days: str, wanted: int) -> None:
    window = Window(days=days, begin="02:00", length=timedelta(hours=1))
    weekdays = {found.begins.weekday() for found in islice(window.occurrences(datetime(2026, 3, 2, tzinfo=UTC)), 14)}
    assert len(weekdays) == wanted


@given(WINDOWS, EVERY, MOMENTS)
def test_parts_of_a_window_follow_each_other_and_lie_in_it(window: Window, every: timedelta, now: datetime) -> None:
    parted = replace(window, every=every)
    parts = list(islice((one for one in parted.occurrences(now) if one.begins > now), 20))
    assert len(parts) == 20
    for earlier, later in pairwise(parts):
        assert later.begins > earlier.begins
    for part in parts:
        opening = window.current(part.begins)
        assert opening is not None
        assert (part.begins - opening.begins) % every == timedelta()
        assert timedelta() < part.ends - part.begins <= every


def test_each_hour_of_a_working_day_is_due_once() -> None:
    hourly = Window(days="MON-FRI", begin="07:00", length=3 * HOUR, every=HOUR)
    friday = list(islice(hourly.occurrences(utc("2026-11-20T00:00")), 4))
    assert [f"{one.begins:%a %H:%M}" for one in friday] == ["Fri 07:00", "Fri 08:00", "Fri 09:00", "Mon 07:00"]
    found = due(hourly, since=utc("2026-11-20T07:00"), now=utc("2026-11-20T09:30"), catch_up=CatchUp.NEXT_WINDOW)
    assert found is not None
    assert (found.occurrence.begins, found.timing, found.missed) == (utc("2026-11-20T09:00"), Timing.NOW, 1)
    assert due(hourly, since=utc("2026-11-20T09:00"), now=utc("2026-11-20T09:59"), catch_up=CatchUp.NEXT_WINDOW) is None


def test_on_the_nights_the_clocks_change_no_hour_is_there_twice() -> None:
    hourly = Window(days="*", begin="00:00", length=DAY, every=HOUR, time_zone="Europe/Berlin")
    for night, hours in (("2026-03-28T23:00", 23), ("2026-10-24T22:00", 24)):
        until = utc(night) + (hours + (hours == 24)) * HOUR
        begins = [one.begins for one in islice(hourly.occurrences(utc(night)), 30) if one.begins < until]
        assert begins == [utc(night) + number * HOUR for number in range(hours)]


def test_a_delay_moves_the_beginning_and_not_the_end() -> None:
    found = Window(days="SUN", begin="02:00", length=HOUR, delay=timedelta(minutes=7)).next(utc("2026-11-20T00:00"))
    assert found is not None
    assert (found.begins, found.ends) == (utc("2026-11-22T02:07"), utc("2026-11-22T03:00"))
