"""What is kept of many recovery points, and when none is given up."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.instance import RecoveryPoint
from appliance.domain.retention import Retention, reasons_to_keep, to_give_up
from appliance.errors import Conflict, InvalidRequest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HELSINKI = ZoneInfo("Europe/Helsinki")


def point(hours_ago: float, *, proven: bool = False, size: int = 1000) -> RecoveryPoint:
    at = NOW - timedelta(hours=hours_ago)
    record = {"sizes": {"database": size}}
    return RecoveryPoint(
        id=f"{at:%Y%m%dT%H%M%S}", instance="demo", at=at, repository="local", record=record, proven_at=NOW if proven else None
    )


def given_up(points: list[RecoveryPoint], **numbers: int) -> list[str]:
    return [one.id for one in to_give_up(points, Retention(**numbers), UTC, now=NOW)]


def test_the_last_ones_are_kept_and_the_oldest_go_first() -> None:
    points = [point(hours) for hours in (0, 1, 2, 3)]
    assert given_up(points, last=2) == [points[3].id, points[2].id]


def test_of_each_day_the_newest_is_kept_and_a_pause_costs_none() -> None:
    days = [point(24 * day + hour) for day in (0, 1, 9) for hour in (0, 5)]
    assert given_up(days, daily=3) == [days[index].id for index in (5, 3, 1)]


def test_a_day_ends_when_it_does_where_the_people_are() -> None:
    before_midnight, after = point(14.5), point(13.5)  # 23:30 and 0:30 in Helsinki, one day in UTC
    daily = Retention(daily=7)
    assert all(reasons_to_keep([before_midnight, after], daily, HELSINKI).values())
    assert reasons_to_keep([before_midnight, after], daily, UTC)[before_midnight.id] == []


def test_the_last_proven_point_is_never_given_up() -> None:
    points = [point(0), point(1), point(2000, proven=True), point(3000, proven=True)]
    assert given_up(points, last=1) == [points[3].id, points[1].id]


def test_nothing_is_given_up_while_a_point_is_yet_to_come() -> None:
    with pytest.raises(Conflict, match=r"a clock was stepped\. No recovery point was given up"):
        given_up([point(-1), point(1), point(2)], last=1)


@pytest.mark.parametrize("ahead", [0, 20])
def test_nothing_is_given_up_for_three_days_after_a_clock_was_set_forward(ahead: int) -> None:
    nightly = [point(24 * 400 + 24 * day) for day in range(9)]
    with pytest.raises(Conflict, match=r"came 3\d\d days after the one before.*No recovery point was given up"):
        given_up([point(0), point(ahead + 1), *nightly], within_days=7)
    later = [point(hours) for hours in (0, 24, 48, 72, 80)]
    assert len(given_up([*later, *nightly], within_days=7)) == 9


def test_a_pause_that_is_usual_is_no_jump_and_numbers_do_not_care() -> None:
    weekly = [point(24 * 7 * week) for week in range(6)]
    assert given_up(weekly, within_days=7) == [one.id for one in weekly[:0:-1]]
    assert given_up([point(0), point(24 * 10), point(24 * 11)], last=2) != []


def test_a_pause_in_which_backups_were_given_up_is_none() -> None:
    points, nightly = [point(0), point(24 * 30), point(24 * 60)], [NOW - timedelta(days=day) for day in range(30)]
    with pytest.raises(Conflict, match="came 30 days after"):
        given_up([*points[:2]], within_days=1)
    going = to_give_up(points, Retention(monthly=2, within_days=1), UTC, now=NOW, taken=nightly)
    assert [one.id for one in going] == [points[2].id]


def test_nothing_is_given_up_when_the_last_dump_is_under_half_of_the_one_before() -> None:
    with pytest.raises(Conflict, match=r"has shrunk: its last dump has 499 bytes, the one before had 1,000"):
        given_up([point(0, size=499), point(1), point(2)], last=1)
    assert given_up([point(0, size=499), point(1, size=499), point(2)], last=1) != []


@pytest.mark.parametrize("numbers", [{}, {"last": -1}])
def test_keeping_nothing_or_less_is_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest):
        Retention(**numbers)


@given(
    st.lists(st.integers(min_value=0, max_value=20_000), unique=True, min_size=1, max_size=40),
    st.fixed_dictionaries({name: st.integers(0, 5) for name in ("hourly", "daily", "weekly", "monthly", "yearly", "within_days")}),
)
def test_the_newest_stays_and_giving_up_twice_gives_up_nothing_more(hours: list[int], numbers: dict[str, int]) -> None:
    points = [point(hour, proven=hour % 7 == 0) for hour in hours]
    retention, nightly = Retention(last=1, **numbers), [NOW - timedelta(days=day) for day in range(900)]
    gone = {one.id for one in to_give_up(points, retention, UTC, now=NOW, taken=nightly)}
    left = [one for one in points if one.id not in gone]
    assert max(points, key=lambda one: one.at) in left
    assert to_give_up(left, retention, UTC, now=NOW, taken=nightly) == []
    assert [one for one in points if one.proven_at] == [] or any(one.proven_at for one in left)
