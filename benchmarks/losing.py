"""Rows that are committed all the time, and how many of them come back after a loss."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil
import psycopg

from benchmarks.cluster import Cluster, a_cluster
from benchmarks.figure import MeasureFailed
from benchmarks.keeping import CRM, PORT, Keeping
from benchmarks.waiting import wait_until

COPY = "bench_backup_copy"
TABLE = "create table heartbeat (number bigint primary key, at timestamptz not null default clock_timestamp())"
INSERT = "insert into heartbeat (number) values (%s)"
SERVING_SECONDS = 120


@dataclass
class Heartbeat:
    """Commits one row after the other until the server is gone; knows which were confirmed, and when."""

    cluster: Cluster
    pause_seconds: float
    confirmed: list[float] = field(default_factory=list)
    """When each row was confirmed, by its number; seconds since the epoch."""

    def beat(self) -> None:
        """Go on until the server is gone."""
        with suppress(psycopg.Error), self.cluster.connected() as connection:
            while True:
                connection.execute(INSERT, (len(self.confirmed),))
                self.confirmed.append(time.time())
                time.sleep(self.pause_seconds)


@contextmanager
def beating(cluster: Cluster, *, pause_seconds: float) -> Iterator[Heartbeat]:
    """Commit rows while the block runs; it has to end the server."""
    cluster.sql(TABLE)
    heart = Heartbeat(cluster=cluster, pause_seconds=pause_seconds)
    thread = threading.Thread(target=heart.beat)
    thread.start()
    try:
        yield heart
    finally:
        with suppress(MeasureFailed):
            cluster.control("stop", "-m", "immediate")
        thread.join()


def kill_server(cluster: Cluster) -> None:
    """Kill -9 of the server and of every process of it, as one."""
    kill_tree(int((cluster.data / "postmaster.pid").read_text().split()[0]))


def kill_tree(pid: int) -> None:
    """Kill -9 of a process and of all that it has started."""
    parent = psutil.Process(pid)
    for process in [parent, *parent.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs([parent], timeout=SERVING_SECONDS)


@contextmanager
def recovered(kept: Keeping, **more: object) -> Iterator[Cluster]:
    """A server of its own with all that was received."""
    with a_cluster(COPY, PORT + 1, empty=True) as copy:
        kept.run("recover", crm=CRM, target=str(copy.data), wal=str(copy.sockets / "wal"), **more)
        copy.control("start")
        wait_until(copy.serves, seconds=SERVING_SECONDS, what="the recovered server to answer")
        yield copy
