"""`python -m monitoring serve`: the monitor as a process."""

import asyncio
import fcntl
import logging
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.server import MetricsDoor, MetricsServer, make_health, open_metrics_door, open_server
from monitoring.ledger import Ledger
from monitoring.mending import mend
from monitoring.monitor import Monitor
from monitoring.rules.evaluation import Evaluation
from monitoring.rules.memory import RuleMemory
from monitoring.schema import LedgerTooNew

LEAVE_SECONDS = 1.0
TURN_SECONDS = 0.0005
"""So soon the probes have their turn again while another thread evaluates rules; with Python's 5 ms the last of 1,000 was 0.3 s late."""
MOST_FILES = 65_536
"""A thousand CRMs that hang at once hold some thousand connections; what Linux allows at first is 1,024."""


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


def serve(
    *,
    targets: Path,
    ledger: Path,
    listen: tuple[str, int],
    door: MetricsDoor | None = None,
    rules_every_seconds: float = 30,
    beside: Sequence[Beside] = (),
) -> int:
    """Runs until SIGTERM or SIGINT and returns the exit code. A second monitor on the same ledger is refused.

    `listen` is for this machine, the `door` for others.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    _allow_files()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        with (
            _only_monitor(ledger),
            Ledger(ledger) as written,
            Ledger(ledger) as read,
            closing(RuleMemory(ledger)) as memory,
            _running(beside),
        ):
            files = Files(targets=targets, written=written, read=read, memory=memory)
            asyncio.run(_run(files, listen, door, rules_every_seconds))
    except (CannotStart, LedgerTooNew, sqlite3.Error, OSError) as error:
        print(f"The monitor cannot run: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(files: Files, listen: tuple[str, int], door: MetricsDoor | None, rules_every_seconds: float) -> None:
    clock, read = open_clock(), files.read
    monitor = Monitor(targets_file=files.targets, ledger=files.written, clock=clock)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    collector = ApplianceCollector(read, monitor.status, clock)
    evaluation = Evaluation(
        collector=collector, ledger=read, memory=files.memory, status=monitor.status, clock=clock, every_seconds=rules_every_seconds
    )
    with ExitStack() as servers:
        servers.enter_context(_answering(open_server(listen, collector, make_health(read, monitor.status, clock))))
        if door is not None:
            servers.enter_context(_answering(open_metrics_door(door, collector)))
        evaluating = asyncio.create_task(evaluation.run())
        try:
            await monitor.run(stop)
        finally:
            evaluating.cancel()


@contextmanager
def _answering(server: MetricsServer) -> Iterator[None]:
    """A thread of its own answers, for the length of a block."""
    Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _allow_files() -> None:
    """As many as are wanted, if the machine lets it have them."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


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
    """Two monitors would count everything twice. The lock ends with the process, however it ends; a damaged ledger is mended under it."""
    with ledger.with_name(ledger.name + ".lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"another monitor already writes {ledger}. Stop that one first.") from error
        mend(ledger)
        yield
