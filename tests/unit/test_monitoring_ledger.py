"""The ledger: what it makes of observations, gaps, clocks that are set, and reboots."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.checks import Check, CheckSums
from monitoring.clock import Moment
from monitoring.exporter.intervals import Intervals
from monitoring.ledger import SERVICE, Interval, Ledger, Observation, State
from monitoring.schema import LedgerTooNew

START = Moment(wall=datetime(2026, 11, 21, 12, tzinfo=UTC), boot_seconds=1000, boot_id="first")
BELIEVED_SECONDS, BELIEVED_AFTER_START_SECONDS = 40, 20
DAY = timedelta(days=1)


def later(moment: Moment, seconds: float) -> Moment:
    return replace(moment, wall=moment.wall + timedelta(seconds=seconds), boot_seconds=moment.boot_seconds + seconds)


def seen(state: State, at: Moment, crm: str = "demo", cause: str = "") -> Observation:
    return Observation(
        crm=crm,
        target=SERVICE,
        state=state,
        at=at,
        cause=cause,
        believed_seconds=BELIEVED_SECONDS,
        believed_after_start_seconds=BELIEVED_AFTER_START_SECONDS,
    )


def watch(ledger: Ledger, at: Moment, *states: State, every: float = 15) -> Moment:
    for state in states:
        ledger.record([seen(state, at)], [], at)
        at = later(at, every)
    return later(at, -every)


def shape(intervals: list[Interval]) -> list[tuple[str, float]]:
    return [(interval.state.value, interval.seconds) for interval in intervals]


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        yield opened


def test_a_state_that_lasts_is_one_row(ledger: Ledger) -> None:
    watch(ledger, START, *[State.UP] * 10)
    assert shape(ledger.intervals("demo")) == [("up", 135)]


def test_downtime_runs_from_the_first_failure_to_the_first_success(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP, State.DOWN, State.DOWN, State.UP)
    assert shape(ledger.intervals("demo")) == [("up", 15), ("down", 30), ("up", 0)]
    uptime = ledger.uptime("demo", DAY, end)
    assert (uptime.observed_ratio, uptime.pessimistic_ratio, uptime.coverage_ratio) == (1 / 3, 1 / 3, 1)


def test_a_failure_told_late_is_billed_from_when_it_happened(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP)
    ledger.record([seen(State.DOWN, later(end, 15))], [], later(end, 19))
    assert shape(ledger.intervals("demo"))[0] == ("up", 15)


def test_time_that_nobody_saw_is_unknown(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP, State.UP)
    end = watch(ledger, later(end, 600), State.UP)
    assert shape(ledger.intervals("demo")) == [("up", 15), ("unknown", 600), ("up", 0)]
    uptime = ledger.uptime("demo", DAY, end)
    assert (uptime.observed_ratio, uptime.pessimistic_ratio, uptime.coverage_ratio) == (1, 15 / 615, 15 / 615)


def test_a_short_restart_of_the_monitor_is_no_gap_and_a_longer_one_is(tmp_path: Path) -> None:
    at = START
    for pause in (0, 18, 30):
        at = later(at, pause)
        with Ledger(tmp_path / "ledger.sqlite") as ledger:
            at = watch(ledger, at, State.UP, State.UP)
            intervals = ledger.intervals("demo")
    assert shape(intervals) == [("up", 48), ("unknown", 30), ("up", 15)]


@pytest.mark.parametrize("step_seconds", [3600, -3600, 86400, -86400])
def test_a_clock_that_is_set_changes_no_duration(ledger: Ledger, step_seconds: float) -> None:
    end = watch(ledger, START, State.UP, State.UP)
    end = replace(later(end, 15), wall=end.wall + timedelta(seconds=15 + step_seconds))
    end = watch(ledger, end, State.UP, State.UP)
    assert shape(ledger.intervals("demo")) == [("up", 30), ("up", 15)]
    assert [(event.result, event.values["seconds"]) for event in ledger.events("clock_step")] == [
        ("forward" if step_seconds > 0 else "backward", step_seconds)
    ]
    assert all(interval.started_at <= interval.ended_at for interval in ledger.intervals("demo"))


@pytest.mark.parametrize("seconds", [5, 300])
def test_a_reboot_leaves_an_unknown_gap_of_the_wall_clocks_length(ledger: Ledger, seconds: int) -> None:
    end = watch(ledger, START, State.UP, State.UP)
    rebooted = Moment(wall=end.wall + timedelta(seconds=seconds), boot_seconds=4, boot_id="second")
    watch(ledger, rebooted, State.UP)
    gap = ledger.intervals("demo")[1]
    assert (gap.state, gap.seconds, gap.reason) == (State.UNKNOWN, seconds, "the machine was restarted")


def test_a_reboot_with_a_clock_that_went_back_took_as_long_as_the_machine_is_on_again(ledger: Ledger) -> None:
    watch(ledger, START, State.UP, State.UP)
    end = watch(ledger, Moment(wall=START.wall - DAY, boot_seconds=20, boot_id="second"), State.DOWN, State.DOWN)
    assert shape(ledger.intervals("demo")) == [("up", 15), ("unknown", 20), ("down", 15)]
    assert ledger.uptime("demo", DAY, end).observed_ratio == 0.5


def test_an_outage_that_outlasts_a_gap_is_one_outage(ledger: Ledger) -> None:
    end = START
    for pause in (0, 600, 30):
        end = later(end, pause)
        ledger.record([seen(State.DOWN, end, cause="live")], [], end)
    watch(ledger, later(end, 15), State.UP, State.DOWN)
    intervals = Intervals(ledger)
    intervals.refresh()
    assert intervals.outages == {("demo", "live"): 1, ("demo", ""): 1}


def test_a_monitor_that_died_long_ago_covers_nothing_since(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP, State.UP)
    uptime = ledger.uptime("demo", timedelta(hours=1), later(end, 1785))
    assert (uptime.up_seconds, uptime.unknown_seconds) == (15, 1785)


def test_a_crm_that_comes_back_under_an_old_name_has_no_gap(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP, State.UP)
    ledger.close_all_but([])
    end = watch(ledger, later(end, 86400), State.UP, State.UP)
    assert shape(ledger.intervals("demo")) == [("up", 15), ("up", 15)]


def test_maintenance_counts_neither_for_nor_against(ledger: Ledger) -> None:
    end = watch(ledger, START, State.UP, State.MAINTENANCE, State.MAINTENANCE, State.UP)
    uptime = ledger.uptime("demo", DAY, end)
    assert (uptime.maintenance_seconds, uptime.observed_ratio, uptime.coverage_ratio) == (30, 1, 1)


def test_a_window_cuts_what_lies_before_it(ledger: Ledger) -> None:
    end = watch(ledger, START, State.DOWN, State.UP, State.UP)
    assert ledger.uptime("demo", timedelta(seconds=20), end).down_seconds == 5


def test_nothing_watched_is_no_ratio_rather_than_100_percent(ledger: Ledger) -> None:
    uptime = ledger.uptime("demo", DAY, START)
    assert (uptime.observed_ratio, uptime.pessimistic_ratio, uptime.coverage_ratio) == (None, None, None)


def test_checks_are_counted_by_result_and_duration(ledger: Ledger) -> None:
    for healthy, duration in ((True, 0.05), (True, 0.04), (False, 30)):
        ledger.record([], [Check(crm="demo", target="live", healthy=healthy, duration_seconds=duration)], START)
    sums = ledger.check_sums()
    assert sums == {("demo", "live"): CheckSums(2, 1, sums["demo", "live"].seconds, (2,) * 11 + (3,))}
    assert sums["demo", "live"].seconds == pytest.approx(30.09)


def test_an_event_is_read_back_as_it_was_recorded(ledger: Ledger) -> None:
    ledger.record_event(kind="backup", crm="demo", result="success", at=START.wall, duration_seconds=3.5, values={"bytes_added": 7})
    (event,) = ledger.events("backup", "demo")
    assert (event.result, event.at, event.duration_seconds, event.values) == ("success", START.wall, 3.5, {"bytes_added": 7})
    assert ledger.events("drill") == []


def test_a_failed_write_leaves_nothing_half_done(ledger: Ledger) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ledger.record([seen(State.UP, START), replace(seen(State.UP, START), state="bogus")], [], START)  # type: ignore[arg-type]
    assert (ledger.intervals("demo"), ledger.heartbeat()) == ([], None)


def test_a_ledger_of_a_newer_version_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerTooNew, match="left unchanged"):
        Ledger(path)


steps = st.tuples(
    st.sampled_from(State),
    st.floats(0, 500),
    st.sampled_from([0.0, 0.0, 0.0, 3600.0, -3600.0, 86400.0]),
    st.sampled_from(["check", "check", "check", "restart", "reboot"]),
    st.sampled_from(["demo", "other"]),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(steps, min_size=1, max_size=25), st.floats(1, 5000))
def test_whatever_happens_no_time_is_negative_invented_lost_or_counted_twice(
    history: list[tuple[State, float, float, str, str]], window_seconds: float
) -> None:
    with Ledger(":memory:") as ledger:
        now = START
        for number, (state, pause, step, happening, crm) in enumerate(history):
            now = later(now, pause)
            now = replace(now, wall=now.wall + timedelta(seconds=step))
            if happening == "reboot":
                now = replace(now, boot_id=f"boot-{number}", boot_seconds=1)
            if happening != "check":
                ledger._seen = set()
            ledger.record([seen(state, now, crm)], [], now)
        for crm in ("demo", "other"):
            check_sums(ledger, crm, now, window_seconds)


def check_sums(ledger: Ledger, crm: str, now: Moment, window_seconds: float) -> None:
    intervals = ledger.intervals(crm)
    assert all(interval.end_ms >= interval.start_ms for interval in intervals)
    assert all(before.end_ms == after.start_ms for before, after in pairwise(intervals))
    elapsed_ms = intervals[-1].end_ms - intervals[0].start_ms if intervals else 0
    assert sum(interval.end_ms - interval.start_ms for interval in intervals) == elapsed_ms
    uptime = ledger.uptime(crm, timedelta(seconds=window_seconds), now)
    assert 0 <= uptime.elapsed_seconds <= window_seconds + 0.001
    for ratio in (uptime.observed_ratio, uptime.pessimistic_ratio, uptime.coverage_ratio):
        assert ratio is None or 0 <= ratio <= 1
    assert (uptime.pessimistic_ratio or 0) <= (uptime.observed_ratio if uptime.observed_ratio is not None else 1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from([0.0, 7200.0, -7200.0])), min_size=1, max_size=20))
def test_within_a_boot_the_sum_is_exactly_the_time_that_elapsed(pauses: list[tuple[float, float]]) -> None:
    with Ledger(":memory:") as ledger:
        now = watch(ledger, START, State.UP)
        for pause, step in pauses:
            now = later(now, pause)
            now = replace(now, wall=now.wall + timedelta(seconds=step))
            watch(ledger, now, State.UP)
        total = sum(interval.seconds for interval in ledger.intervals("demo"))
        assert abs(total - (now.boot_seconds - START.boot_seconds)) < 0.002  # each end is kept to the millisecond


def test_an_event_that_says_by_what_it_is_known_is_written_once(ledger: Ledger) -> None:
    for point in ("one", "one", "two"):
        ledger.record_event(
            kind="backup", crm="demo", result="success", at=START.wall, values={"recovery_point": point}, once_by="recovery_point"
        )
    ledger.record_event(
        kind="backup", crm="other", result="success", at=START.wall, values={"recovery_point": "one"}, once_by="recovery_point"
    )
    told = [(event.crm, event.values["recovery_point"]) for event in ledger.events("backup")]
    assert told == [("demo", "one"), ("demo", "two"), ("other", "one")]
