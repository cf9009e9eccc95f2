"""How long probes took, day by day, and what pages say of it."""

import math
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.web.latencies import latency_budget_told
from monitoring.checks import DURATION_BOUNDS_SECONDS, Check
from monitoring.clock import Moment
from monitoring.latencies import KEPT_DAYS, NONE, add_up, quantile, share_within
from monitoring.ledger import Ledger
from monitoring.schema import connect
from monitoring.targets import Promises

NOON = Moment(wall=datetime(2026, 11, 21, 12, tzinfo=UTC), boot_seconds=10_000_000, boot_id="b")


def later(days: float) -> Moment:
    return replace(NOON, wall=NOON.wall + timedelta(days=days), boot_seconds=NOON.boot_seconds + days * 86_400)


def probes(*seconds: float) -> list[Check]:
    return [Check(crm="demo", target="ready", healthy=True, duration_seconds=one) for one in seconds]


def test_each_day_has_its_own_and_what_is_old_is_forgotten() -> None:
    with Ledger(":memory:") as ledger:
        ledger.record([], probes(0.04, 0.04, 12), NOON)
        ledger.record([], probes(0.25), later(1))
        ledger.record([], probes(0.25), later(1.1))
        before, today = ledger.latencies("demo", "ready", 2, later(1.2))
        assert (before[0], before[-1], sum(before), today[3], sum(today)) == (2, 1, 3, 2, 2)
        ledger.record([], [], later(KEPT_DAYS + 1))
        assert [sum(day) for day in ledger.latencies("demo", "ready", KEPT_DAYS + 5, later(KEPT_DAYS + 1)) if sum(day)] == [2]
        assert ledger.latencies("demo", "deep", 1, later(1)) == [NONE]


def test_a_clock_that_is_set_far_ahead_forgets_nothing() -> None:
    with Ledger(":memory:") as ledger:
        ledger.record([], probes(0.25), NOON)
        ahead = replace(later(0.1), wall=NOON.wall + timedelta(days=4000))
        ledger.record([], probes(0.25), ahead)
        assert sum(add_up(ledger.latencies("demo", "ready", 2, ahead))) == 2


def test_what_was_counted_lasts_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with Ledger(tmp_path / "ledger.sqlite") as ledger:
            ledger.record([], probes(0.25), NOON)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.latencies("demo", "ready", 1, NOON)[0][3] == 2


def test_a_ledger_of_the_version_before_counts_from_now_on(tmp_path: Path) -> None:
    connection = connect(tmp_path / "ledger.sqlite")
    connection.execute("DROP TABLE latencies")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(sqlite3.OperationalError), sqlite3.connect(tmp_path / "ledger.sqlite") as bare:
        bare.execute("SELECT * FROM latencies")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.record([], probes(0.25), NOON)
        assert sum(ledger.latencies("demo", "ready", 1, NOON)[0]) == 1


@given(st.lists(st.floats(min_value=0, max_value=9.9), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_lies_in_the_bucket_of_the_probe_that_it_is(seconds: list[float], share: float) -> None:
    with Ledger(":memory:") as ledger:
        ledger.record([], probes(*seconds), NOON)
        (buckets,) = ledger.latencies("demo", "ready", 1, NOON)
    found = quantile(buckets, share)
    exact = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    upper = next(bound for bound in DURATION_BOUNDS_SECONDS if exact <= bound)
    assert found is not None
    assert [bound for bound in (0.0, *DURATION_BOUNDS_SECONDS) if bound < upper][-1] <= found <= upper


def test_what_took_longer_than_the_last_bound_is_not_guessed() -> None:
    assert quantile((*NONE[:-1], 1), 0.5) == math.inf
    assert (share_within(NONE, 2.0), share_within((3, *NONE[1:-1], 1), 2.0)) == (None, 0.75)


@pytest.mark.parametrize(
    ("fast", "slow", "said"),
    [
        (99, 1, "95 % of the probes within 2 s promised: 99.000 % of 30 days were, 80 % of the error budget left"),
        (9899, 101, "95 % of the probes within 2 s promised: 98.990 % of 30 days were, 79 % of the error budget left"),
        (90, 10, "95 % of the probes within 2 s promised: 90.000 % of 30 days were, the error budget is overdrawn by 100 %"),
        (0, 0, "95 % of the probes within 2 s promised; none was seen yet"),
    ],
)
def test_what_is_left_of_the_budget_is_never_rounded_up(fast: int, slow: int, said: str) -> None:
    assert latency_budget_told((fast, *NONE[1:-1], slow), Promises()) == said
