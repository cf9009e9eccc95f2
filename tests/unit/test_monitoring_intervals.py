"""What the exporter adds up bit by bit is what the ledger says as a whole."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clock import Moment
from monitoring.exporter.intervals import Intervals
from monitoring.ledger import SERVICE, Ledger, Observation, State
from monitoring.uptime import add_up

START = Moment(wall=datetime(2026, 11, 21, 12, tzinfo=UTC), boot_seconds=1000, boot_id="first")
CRMS = ("one", "two")
WINDOWS = (timedelta(seconds=45), timedelta(hours=1), timedelta(days=1))
LIFE = st.lists(
    st.tuples(
        st.sampled_from(CRMS),
        st.sampled_from([State.UP, State.DOWN, State.MAINTENANCE]),
        st.sampled_from([1, 15, 30, 300, 7200]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=25,
)


def later(moment: Moment, seconds: float) -> Moment:
    return replace(moment, wall=moment.wall + timedelta(seconds=seconds), boot_seconds=moment.boot_seconds + seconds)


def see(ledger: Ledger, crm: str, state: State, at: Moment) -> None:
    seen = Observation(crm=crm, target=SERVICE, state=state, at=at, cause="live", believed_seconds=40, believed_after_start_seconds=20)
    ledger.record([seen], [], at)


@settings(max_examples=60, deadline=None)
@given(life=LIFE)
def test_however_often_it_is_read_it_adds_up_to_the_whole(life: list[tuple[str, State, int, bool, bool]]) -> None:
    with Ledger(":memory:") as ledger:
        intervals, at = Intervals(ledger), START
        for crm, state, pause_seconds, is_read, is_closed in life:
            at = later(at, pause_seconds)
            see(ledger, crm, state, at)
            if is_closed:
                ledger.close_all_but({(crm, SERVICE)})
            if is_read:
                intervals.refresh()
        intervals.refresh()
        now = later(at, 500)
        check_sums(ledger, intervals)
        for window in WINDOWS:
            expected = add_up(ledger.uptime(crm, window, now) for crm in CRMS).coverage_ratio
            assert intervals.coverage_ratio(CRMS, window, now) == (None if expected is None else pytest.approx(expected))


def check_sums(ledger: Ledger, intervals: Intervals) -> None:
    states = [state.value for state in State]
    for crm in CRMS:
        rows = ledger.intervals(crm)
        spent = Counter[str]()
        for row in rows:
            spent[row.state] += round(row.seconds * 1000)
        past = intervals.past[crm, SERVICE]
        assert past.spent_seconds(states) == [spent[state] / 1000 for state in states]
        assert intervals.outages[crm, "live"] == sum(row.state == State.DOWN and not row.continued for row in rows)
        assert (past.newest.state if past.newest else None) == (rows[-1].state if rows else None)
