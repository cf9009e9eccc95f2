"""The stream of what happens: in order, from where a reader was, and ended when it has to end."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from appliance.domain.event import TYPES
from appliance.domain.operation import OperationStatus
from appliance.operations.seeing import Seeing
from appliance.web.happenings import happenings
from appliance.wiring import Appliance
from monitoring.ledger import State
from tests.support.operating import await_true, make_appliance
from tests.support.running_panel import RunningPanel, running_panel
from tests.support.seen_states import write_states
from tests.support.web_world import NOON, PanelWorld, add_people, add_sales, end_operation, run_operation


def told(world: PanelWorld, *, after: int | None) -> list[tuple[str | None, str | None, Any]]:
    """What is there now: the panel closes when all was told."""
    turns = iter([False, True])

    async def gather() -> list[tuple[str | None, str | None, Any]]:
        stream = happenings(
            world.appliance.store.events,
            after=after,
            is_closing=lambda: next(turns),
            is_admitted=lambda: True,
            telling=lambda event: event.data,
        )
        return [(event.event, event.id, event.data) async for event in stream]

    return asyncio.run(gather())


def test_an_operations_states_are_told_in_order(world: PanelWorld) -> None:
    run_operation(world.appliance)
    end_operation(world.appliance, 1, OperationStatus.FAILED, cause="The disk is full.")
    events = told(world, after=0)
    assert [(name, number) for name, number, _ in events[:-1]] == [
        ("operation.queued", "1"),
        ("operation.running", "2"),
        ("operation.failed", "3"),
    ]
    assert {name: events[2][2][name] for name in ("operation", "kind", "instance", "status", "cause")} == {
        "operation": 1,
        "kind": "upgrade",
        "instance": "sales",
        "status": "failed",
        "cause": "The disk is full.",
    }
    assert {name for name, _, _ in events[:-1]} < set(TYPES)


def test_a_reader_goes_on_where_it_was_and_a_new_one_begins_now(world: PanelWorld) -> None:
    run_operation(world.appliance)
    assert [number for _, number, _ in told(world, after=1)] == ["2", None]
    assert told(world, after=None) == [("end", None, None)]


def test_what_is_kept_no_longer_is_told_as_a_gap(world: PanelWorld) -> None:
    run_operation(world.appliance)
    world.appliance.store.events.forget_old(NOON + timedelta(days=8))
    end_operation(world.appliance, 1, OperationStatus.SUCCEEDED)
    assert [(name, number) for name, number, _ in told(world, after=1)] == [("gap", None), ("operation.succeeded", "3"), ("end", None)]


@pytest.mark.parametrize("method", ["cancel", "reopen"])
def test_what_people_do_to_an_operation_is_told_too(world: PanelWorld, method: str) -> None:
    journal = world.appliance.store.operations
    journal.record(kind="backup", instance="sales", parameters={}, steps=[], requested_by="Oscar", now=NOON)
    if method == "cancel":
        journal.request_cancel(1, now=NOON)
    else:
        journal.finish(1, OperationStatus.NEEDS_ATTENTION, now=NOON)
        journal.reopen(1, now=NOON)
    names = [name for name, _, _ in told(world, after=0)]
    assert names == [
        "operation.queued",
        *(["operation.cancelled"] if method == "cancel" else ["operation.needs_attention", "operation.queued"]),
        "end",
    ]


def test_a_crm_that_is_found_otherwise_is_told_once(world: PanelWorld) -> None:
    file, seeing = world.appliance.settings.ledger_file, Seeing(appliance=world.appliance, now=lambda: world.moment)
    for seconds, state in ((0, State.UP), (15, State.UP), (30, State.DOWN), (45, State.UP)):
        write_states(file, "sales", [(NOON + timedelta(seconds=seconds), state)], reason="no answer" if state is State.DOWN else "")
        world.moment = NOON + timedelta(seconds=seconds)
        seeing.look()
    seen = [(data["health"], data["reason"]) for name, _, data in told(world, after=0) if name == "instance.health"]
    assert seen == [("healthy", ""), ("down", "no answer"), ("healthy", "")]


def test_what_nobody_saw_of_late_is_not_told(world: PanelWorld) -> None:
    write_states(world.appliance.settings.ledger_file, "sales", [(NOON, State.DOWN)])
    Seeing(appliance=world.appliance, now=lambda: NOON + timedelta(hours=1)).look()
    assert told(world, after=0) == [("end", None, None)]


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    appliance = make_appliance(tmp_path)
    add_people(appliance)
    add_sales(appliance)
    return appliance


@contextmanager
def panel_of(appliance: Appliance) -> Iterator[RunningPanel]:
    panel = running_panel(appliance)
    panel.start()
    try:
        yield panel
    finally:
        panel.stop()


def events_until_end(panel: RunningPanel, token: str, happen: Callable[[], object]) -> tuple[list[str], float]:
    """The names of the events that a reader gets, and how long after `happen` the stream has ended."""
    lines: list[str] = []
    headers = {"Authorization": f"Bearer {token}"}

    def read() -> None:
        with httpx.stream("GET", f"{panel.url}/api/v1/events?after=0", headers=headers, timeout=30) as answer:
            lines.extend(answer.iter_lines())

    reader = Thread(target=read)
    reader.start()
    time.sleep(1)
    began = time.monotonic()
    happen()
    reader.join(20)
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")], time.monotonic() - began


def test_a_stream_ends_when_its_token_is_revoked(appliance: Appliance) -> None:
    token = appliance.store.tokens.issue(name="watch", user="Victor", by="root", now=datetime.now(UTC))
    run_operation(appliance, now=datetime.now(UTC))
    with panel_of(appliance) as panel:
        names, seconds = events_until_end(panel, token, lambda: appliance.store.tokens.revoke("watch", by="root", now=datetime.now(UTC)))
    assert (names, seconds < 5) == (["operation.queued", "operation.running", "end"], True)


def test_a_stream_ends_cleanly_when_the_panel_is_told_to_end(appliance: Appliance) -> None:
    token = appliance.store.tokens.issue(name="watch", user="Victor", by="root", now=datetime.now(UTC))
    with panel_of(appliance) as panel:
        process = panel.process
        assert process is not None
        names, seconds = events_until_end(panel, token, lambda: os.kill(process.pid, signal.SIGTERM))
        await_true(lambda: process.poll() is not None, patience_seconds=5)
    assert (names, seconds < 2) == (["end"], True)
