"""Uptime by day, and outages: what the ledger's intervals come to for people."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.clock import Moment
from monitoring.days import DAY_MS, by_day, day_starts
from monitoring.ledger import SERVICE, Ledger, Observation, State
from monitoring.uptime import add_up, summarise

START = Moment(wall=datetime(2026, 11, 21, 23, 59, tzinfo=UTC), boot_seconds=1000, boot_id="first")
SPANS = st.lists(st.tuples(st.sampled_from(list(State)), st.integers(0, 3 * DAY_MS)), max_size=30)


def later(moment: Moment, seconds: float) -> Moment:
    return replace(moment, wall=moment.wall + timedelta(seconds=seconds), boot_seconds=moment.boot_seconds + seconds)


def see(ledger: Ledger, at: Moment, *states: State, every: float = 15) -> Moment:
    for state in states:
        seen = Observation(
            crm="demo",
            target=SERVICE,
            state=state,
            at=at,
            cause="live",
            reason="refused",
            believed_seconds=40,
            believed_after_start_seconds=20,
        )
        ledger.record([seen], [], at)
        at = later(at, every)
    return later(at, -every)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        yield opened


@settings(max_examples=100, deadline=None)
@given(pieces=SPANS, since_midnight_ms=st.integers(0, DAY_MS - 1), days=st.integers(1, 5))
def test_the_days_add_up_to_the_whole(pieces: list[tuple[State, int]], since_midnight_ms: int, days: int) -> None:
    spans, at_ms = [], 0
    for state, length_ms in pieces:
        spans.append((state, at_ms, at_ms + length_ms))
        at_ms += length_ms
    starts = day_starts(at_ms, since_midnight_ms, days)
    parts = by_day(spans, starts, at_ms)
    whole, added = summarise(spans, starts[0], at_ms), add_up(parts)
    assert [round(getattr(added, f"{state}_seconds"), 3) for state in State] == [getattr(whole, f"{state}_seconds") for state in State]
    assert all(round(part.elapsed_seconds, 3) <= DAY_MS / 1000 for part in parts)


def test_an_outage_over_midnight_is_a_part_of_both_days(ledger: Ledger) -> None:
    end = see(ledger, START, State.UP, State.UP, State.DOWN, State.DOWN, State.DOWN, State.DOWN, State.UP)
    yesterday, today = ledger.days("demo", 2, end)
    assert (yesterday.up_seconds, yesterday.down_seconds) == (30, 30)
    assert (today.up_seconds, today.down_seconds) == (0, 30)


def test_outages_come_newest_first_with_their_cause(ledger: Ledger) -> None:
    end = see(ledger, START, State.UP, State.DOWN, State.UP)
    see(ledger, later(end, 15), State.UP, State.DOWN, State.DOWN)
    lasting, ended = ledger.outages("demo")
    assert (lasting.ended_at, lasting.length, lasting.cause, lasting.reason) == (None, timedelta(seconds=15), "live", "refused")
    assert (ended.started_at, ended.ended_at) == (later(START, 15).wall, later(START, 30).wall)
    assert ledger.outages("demo", limit=1) == [lasting]


def test_an_outage_that_outlasts_a_gap_is_one_and_the_gap_is_no_part_of_it(ledger: Ledger) -> None:
    end = see(ledger, START, State.UP, State.DOWN, State.DOWN)
    end = see(ledger, later(end, 600), State.DOWN, State.UP)
    (outage,) = ledger.outages("demo")
    assert (outage.started_at, outage.ended_at, outage.length) == (later(START, 15).wall, end.wall, timedelta(seconds=30))


def test_what_is_watched_no_longer_is_not_down_for_ever(ledger: Ledger) -> None:
    see(ledger, START, State.UP, State.DOWN, State.DOWN)
    ledger.close_all_but([])
    (outage,) = ledger.outages("demo")
    assert outage.ended_at is not None


def test_what_was_never_watched_has_neither(ledger: Ledger) -> None:
    assert ledger.outages("nobody") == []
    assert [day.elapsed_seconds for day in ledger.days("nobody", 2, START)] == [0, 0]
