"""The calendar of what is done by itself: days in the window's own time zone, and what gets in each other's way."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from appliance.domain.calendar import Run, calendar
from appliance.domain.schedule import Schedule
from appliance.domain.window import Window
from appliance.domain.window_request import WindowRequest, read_window

MONDAY = datetime(2026, 3, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(
    days: str = "MON-SUN", begin: str = "02:00", *, minutes: int = 120, zone: str = "UTC", blackout: str = "", every: int = 0
) -> Window:
    asked = WindowRequest(days=days, begin=begin, minutes=minutes, time_zone=zone, blackouts=[blackout] if blackout else (), every=every)
    return read_window(asked, MONDAY)


NIGHTLY = Schedule(
    name="nightly", subject="sales", kind="backup", window=window(), created_at=MONDAY, dealt_with=MONDAY, counted_from=MONDAY
)


def schedule(name: str, opens: Window, *, subject: str = "sales", paused: bool = False) -> Schedule:
    return replace(NIGHTLY, name=name, subject=subject, window=opens, paused=paused)


def seen(*schedules: Schedule, **taking: timedelta) -> list[Run]:
    return calendar(schedules, MONDAY, taking=taking)


def test_two_weeks_are_shown_without_blackout_dates_and_what_is_paused() -> None:
    runs = seen(schedule("nightly", window(blackout="2026-03-25..2026-03-26")), schedule("held", window(), paused=True))
    assert len(runs) == 12
    assert date(2026, 3, 25) not in {run.date for run in runs}
    assert {run.schedule.name for run in runs} == {"nightly"}


def test_a_day_is_that_of_the_window_also_when_clocks_change() -> None:
    runs = seen(schedule("nightly", window(begin="00:30", zone="Europe/Tallinn")))
    assert [run.begins.strftime("%d %H:%M") for run in runs][:7] == [f"{day} 00:30" for day in range(24, 31)]
    assert {run.begins.astimezone(UTC).hour for run in runs} == {22, 21}


def test_what_begins_anew_all_day_is_one_row_of_that_day() -> None:
    runs = seen(schedule("hourly", window("MON-FRI", "07:00", minutes=720, every=60)))
    assert [(run.date.day, run.times) for run in runs][:3] == [(23, 7), (24, 12), (25, 12)]
    assert (runs[1].begins.hour, runs[1].ends.hour) == (7, 19)


def test_of_two_at_the_same_moment_one_waits() -> None:
    runs = seen(schedule("a", window()), schedule("b", window()), schedule("other", window(), subject="support"))
    assert {(run.schedule.name, run.waits_for) for run in runs} == {("a", ""), ("b", "a"), ("other", "")}


@pytest.mark.parametrize(("takes", "waits"), [(30, ""), (90, "a")])
def test_what_is_known_to_take_longer_is_waited_for(takes: int, waits: str) -> None:
    runs = seen(schedule("a", window()), schedule("b", window(begin="03:00")), a=timedelta(minutes=takes))
    assert {run.waits_for for run in runs if run.schedule.name == "b"} == {waits}


def test_the_fleet_meets_everything() -> None:
    runs = seen(schedule("a", window(), subject="host:web1"), schedule("all", window(), subject="fleet:all"))
    assert {run.waits_for for run in runs if run.schedule.name == "all"} == {"a"}
