"""Processes that share a ledger: they open it at once, write at once, and one of them is killed."""

import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

from monitoring.ledger import Ledger

WRITER = """
import sys
from datetime import UTC, datetime
from monitoring.clock import open_clock
from monitoring.ledger import Ledger
ledger, clock = Ledger(sys.argv[1]), open_clock()
for number in range(int(sys.argv[2])):
    ledger.record_event(kind="drill", crm="demo", result="success", at=datetime.now(UTC), values={"number": number})
    ledger.record([], [], clock())
    print(number, flush=True)
"""


def test_kill_9_during_a_write_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    acknowledged = 0
    for round_ in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "100000"], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(20 + 7 * round_)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        acknowledged += sum(line.endswith("\n") for line in lines)
        with Ledger(path) as ledger:
            assert acknowledged <= len(ledger.events("drill")) <= acknowledged + round_ + 1


def test_several_processes_open_a_new_ledger_at_once(tmp_path: Path) -> None:
    """SQLite refuses all but one of them without its usual wait, about once in four times."""
    processes = get_context("fork")
    for path in [tmp_path / f"{number}.sqlite" for number in range(30)]:
        together = processes.Barrier(4)
        openers = [processes.Process(target=_open_together, args=(together, path)) for _ in range(4)]
        for opener in openers:
            opener.start()
        for opener in openers:
            opener.join(timeout=30)
        assert [opener.exitcode for opener in openers] == [0] * 4


def _open_together(together: Barrier, path: Path) -> None:
    together.wait()
    Ledger(path).close()


def test_several_processes_write_at_once_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), "25"], stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [writer.wait(timeout=30) for writer in writers] == [0] * 4
    with Ledger(path) as ledger:
        assert len(ledger.events("drill")) == 100
