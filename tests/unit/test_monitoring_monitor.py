"""The monitor's own bad days: a ledger that cannot be written, a probe that fails in itself."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitoring.clock import open_clock
from monitoring.ledger import Ledger, State
from monitoring.monitor import Monitor
from monitoring.probes import KINDS, ProbeBase, Result
from monitoring.targets import Target, write_targets
from monitoring.watch import PACE_SECONDS

FACTS = {"crm": "demo", "product": "sample", "release": "1", "interval_seconds": 0.05}
PATIENCE_SECONDS = 30


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    probes: dict[str, Any] = {"live": {"kind": "cmd", "argv": ["true"]}}
    write_targets(tmp_path / "targets.json", [Target.model_validate(FACTS | {"probes": probes})])
    return tmp_path


def run_for(seconds: float, monitor: Monitor, *, until: Callable[[], bool] = lambda: True) -> None:
    """Let it run so long, and on a busy machine until it has come to something."""

    async def end(stop: asyncio.Event) -> None:
        await asyncio.sleep(seconds)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not until():
                await asyncio.sleep(0.05)
        stop.set()

    async def go() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(monitor.run(stop))
            group.create_task(end(stop))

    asyncio.run(go())


def test_what_a_ledger_cannot_take_is_kept_for_later(directory: Path) -> None:
    ledger = Ledger(directory / "ledger.sqlite")
    monitor = Monitor(targets_file=directory / "targets.json", ledger=ledger, clock=open_clock())
    ledger.close()
    run_for(0.3, monitor)
    assert monitor.status.errors["ledger"] == 2
    with Ledger(directory / "ledger.sqlite") as mended:
        monitor._ledger = mended
        asyncio.run(monitor.beat())
        assert [interval.state for interval in mended.intervals("demo")] == [State.UP]
        assert mended.intervals("demo")[0].seconds > 0.1


def test_a_ledger_that_proves_damaged_ends_the_monitor_so_that_the_next_one_mends_it(directory: Path) -> None:
    file = directory / "ledger.sqlite"
    Ledger(file).close()
    file.write_bytes(file.read_bytes()[:4096] + os.urandom(20 * 4096))
    with Ledger(file) as ledger, pytest.raises(sqlite3.DatabaseError, match="malformed"):
        asyncio.run(Monitor(targets_file=directory / "targets.json", ledger=ledger, clock=open_clock()).beat())


def test_a_probe_that_fails_in_itself_is_counted_and_the_watch_goes_on(
    directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "-".join(["canary", "9f2c"])

    async def check(_: ProbeBase) -> Result:
        raise ZeroDivisionError(secret)

    monkeypatch.setitem(KINDS, "cmd", replace(KINDS["cmd"], check=check))
    with Ledger(":memory:") as ledger:
        monitor = Monitor(targets_file=directory / "targets.json", ledger=ledger, clock=open_clock())
        run_for(0.3, monitor, until=lambda: monitor.status.errors["probe"] > 1)
        assert ledger.intervals("demo") == []
    assert "ZeroDivisionError" in caplog.text
    assert secret not in caplog.text


def test_a_missing_targets_file_is_said_and_the_heartbeat_beats(tmp_path: Path) -> None:
    with Ledger(":memory:") as ledger:
        monitor = Monitor(targets_file=tmp_path / "targets.json", ledger=ledger, clock=open_clock())
        run_for(0.05, monitor)
        assert ledger.heartbeat() is not None
    assert monitor.status.targets_problem == "No such file or directory"
    assert monitor.status.errors["targets"] == 1


def test_crms_that_begin_together_begin_one_after_the_other(tmp_path: Path) -> None:
    probes = {"live": {"kind": "http", "url": "http://127.0.0.1:1/"}}
    crms = [f"crm-{number}" for number in range(100)]
    write_targets(
        tmp_path / "targets.json", [Target.model_validate(FACTS | {"crm": crm, "probes": probes, "interval_seconds": 15}) for crm in crms]
    )
    with Ledger(":memory:") as ledger:
        monitor = Monitor(targets_file=tmp_path / "targets.json", ledger=ledger, clock=open_clock())
        run_for(0.1, monitor, until=lambda: len(ledger.latest()) == 2 * len(crms))
        began = [ledger.intervals(crm)[0].start_ms for crm in crms]
    assert began == sorted(began)
    assert began[-1] - began[0] >= 99 * PACE_SECONDS * 1000 - 2
