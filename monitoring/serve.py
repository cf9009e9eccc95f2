"""`python -m monitoring serve`: the monitor as a process."""

import asyncio
import fcntl
import logging
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.server import make_health, open_server
from monitoring.ledger import Ledger
from monitoring.monitor import Monitor
from monitoring.rules.evaluation import Evaluation
from monitoring.rules.memory import RuleMemory
from monitoring.schema import LedgerTooNew

LEAVE_SECONDS = 1.0


class CannotStart(Exception):
    """The monitor was not started and nothing was changed."""


Beside = Callable[[Event], None]
"""What runs in a thread of its own beside the monitor, until the event is set."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What the monitor reads and writes: the ledger is opened for who writes, for who reads, and for what the rules remember."""

    targets: Path
    written: Ledger
    read: Ledger
    memory: RuleMemory


def serve(*, targets: Path, ledger: Path, listen: tuple[str, int], rules_every_seconds: float = 30, beside: Sequence[Beside] = ()) -> int:
    """Runs until SIGTERM or SIGINT and returns the exit code. A second monitor on the same ledger is refused."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with (
            _only_monitor(ledger),
            Ledger(ledger) as written,
            Ledger(ledger) as read,
            closing(RuleMemory(ledger)) as memory,
            _running(beside),
        ):
            files = Files(targets=targets, written=written, read=read, memory=memory)
            asyncio.run(_run(files, listen, rules_every_seconds))
    except (CannotStart, LedgerTooNew, sqlite3.Error, OSError) as error:
        print(f"The monitor cannot run: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(files: Files, listen: tuple[str, int], rules_every_seconds: float) -> None:
    clock, read = open_clock(), files.read
    monitor = Monitor(targets_file=files.targets, ledger=files.written, clock=clock)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    collector = ApplianceCollector(read, monitor.status, clock)
    server = open_server(listen, collector, make_health(read, monitor.status, clock))
    evaluation = Evaluation(
        collector=collector, ledger=read, memory=files.memory, status=monitor.status, clock=clock, every_seconds=rules_every_seconds
    )
    evaluating = asyncio.create_task(evaluation.run())
    thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        await monitor.run(stop)
    finally:
        evaluating.cancel()
        await asyncio.to_thread(server.shutdown)
        server.server_close()


@contextmanager
def _running(beside: Sequence[Beside]) -> Iterator[None]:
    """What runs beside the monitor never keeps it from ending."""
    stop = Event()
    threads = [Thread(target=run, args=(stop,), daemon=True) for run in beside]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=LEAVE_SECONDS)


@contextmanager
def _only_monitor(ledger: Path) -> Iterator[None]:
    """Two monitors would count everything twice. The lock ends with the process, however it ends."""
    with ledger.with_name(ledger.name + ".lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"another monitor already writes {ledger}. Stop that one first.") from error
        yield
