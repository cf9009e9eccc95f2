"""`python -m monitoring serve`: the monitor as a process."""

import asyncio
import fcntl
import logging
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.server import make_health, open_server
from monitoring.ledger import Ledger
from monitoring.monitor import Monitor
from monitoring.schema import LedgerTooNew


class CannotStart(Exception):
    """The monitor was not started and nothing was changed."""


def serve(*, targets: Path, ledger: Path, listen: tuple[str, int]) -> int:
    """Runs until SIGTERM or SIGINT and returns the exit code. A second monitor on the same ledger is refused."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with _only_monitor(ledger), Ledger(ledger) as written, Ledger(ledger) as read:
            asyncio.run(_run(targets, written, read, listen))
    except (CannotStart, LedgerTooNew, sqlite3.Error, OSError) as error:
        print(f"The monitor cannot run: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(targets: Path, written: Ledger, read: Ledger, listen: tuple[str, int]) -> None:
    clock = open_clock()
    monitor = Monitor(targets_file=targets, ledger=written, clock=clock)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = open_server(listen, ApplianceCollector(read, monitor.status, clock), make_health(read, monitor.status, clock))
    thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        await monitor.run(stop)
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


@contextmanager
def _only_monitor(ledger: Path) -> Iterator[None]:
    """Two monitors would count everything twice. The lock ends with the process, however it ends."""
    with ledger.with_name(ledger.name + ".lock").open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"another monitor already writes {ledger}. Stop that one first.") from error
        yield
