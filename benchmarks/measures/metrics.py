"""How long the answer to Prometheus takes when a thousand CRMs are watched, on one core, with a month of history in the ledger."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import NoReturn

from psutil import Process

from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from monitoring.checks import Check
from monitoring.clock import Clock, Moment, open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.server import make_health, open_server
from monitoring.ledger import SERVICE, Ledger, Observation, State
from monitoring.monitor import Status
from monitoring.targets import Target

CRMS = 1000
LONGEST_MILLISECONDS = 250.0
"""The goal of the issue that asked for this: the reference is this figure, not another program."""
PROBES = ("live", "ready", "deep", "jobs")
STATES = (State.UP, State.DOWN, State.UP, State.DEGRADED, State.UP) * 2
EVERY = timedelta(seconds=15)
DURATIONS_SECONDS = (0.01, 0.06, 0.15, 0.25)
BACKUPS = 30
PATIENCE_SECONDS = 60


Targets = tuple[Target, ...]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How long the answers took, in milliseconds, and what they hold."""

    waits: tuple[float, ...]
    first: float
    busy: float
    size_bytes: int

    @property
    def milliseconds(self) -> float:
        """Of an answer like most."""
        return median(self.waits)


def take(rounds: int, say: Say) -> Taken:
    """Ask for the metrics again and again; between two answers something was seen of every CRM, as in life."""
    answers = answered(CRMS, rounds, say)
    note = (
        f"Median of {rounds} answers over HTTP by a server on one core: {CRMS} CRMs with {len(PROBES)} probes, {len(STATES)} changes of "
        f"state and {BACKUPS} backups each; {answers.size_bytes / 1024**2:.1f} MiB of text. Fastest {min(answers.waits):.0f}, slowest "
        f"{max(answers.waits):.0f} ms; the server's processor was busy for {answers.busy:.0f} ms of each. The first after a start, which "
        f"reads the whole ledger, took {answers.first:.0f} ms. The reference is the longest wait that is wanted."
    )
    return Taken(ours=answers.milliseconds, reference=LONGEST_MILLISECONDS, note=note)


def answered(crms: int, rounds: int, say: Say) -> Answered:
    """Have a server of its own tell the metrics of so many CRMs. Raises MeasureFailed."""
    clock, in_memory = open_clock(), Path("/dev/shm")  # noqa: S108 - thirty thousand events are written one by one
    targets = tuple(_target(f"crm-{number:05}") for number in range(crms))
    with tempfile.TemporaryDirectory(prefix="benchmark-metrics-", dir=in_memory if in_memory.is_dir() else None) as place:
        file, now = Path(place) / "ledger.sqlite", clock()
        with Ledger(file) as ledger:
            _fill(ledger, targets, _earlier(now, rounds + 1))
            say(f"the ledger of {crms:,} CRMs holds {file.stat().st_size / 1024**2:.0f} MiB")
            with _served(file, targets, clock) as (server, port):
                first, size_bytes = _ask(port, crms)
                before = _processor_seconds(server)
                waits = [_see_and_ask(ledger, targets, _earlier(now, left), port) for left in reversed(range(rounds))]
                busy = (_processor_seconds(server) - before) / rounds * 1000
    say(f"the first took {first:.0f} ms, the others from {min(waits):.0f} to {max(waits):.0f} ms")
    return Answered(waits=tuple(waits), first=first, busy=busy, size_bytes=size_bytes)


def _target(crm: str) -> Target:
    probe = {"kind": "http", "url": "http://127.0.0.1/"}
    return Target.model_validate({"crm": crm, "product": "sample", "release": "2.7.13", "probes": dict.fromkeys(PROBES, probe)})


def _earlier(now: Moment, rounds: int) -> Moment:
    passed = rounds * EVERY
    return replace(now, wall=now.wall - passed, boot_seconds=now.boot_seconds - passed.total_seconds())


def _fill(ledger: Ledger, targets: Targets, until: Moment) -> None:
    for left, state in zip(reversed(range(len(STATES))), STATES, strict=True):
        _see(ledger, targets, _earlier(until, left), state)
    for day in reversed(range(BACKUPS)):
        at = until.wall - timedelta(days=day)
        values = {"kind": "logical", "repository": "local", "bytes_added": 10**6, "recovery_point_at": at.timestamp()}
        for target in targets:
            ledger.record_event(kind="backup", crm=target.crm, result="success", at=at, duration_seconds=33, values=values)


def _see(ledger: Ledger, targets: Targets, at: Moment, state: State) -> None:
    seen = [
        Observation(crm=target.crm, target=name, state=state, at=at, cause="live", believed_seconds=40, believed_after_start_seconds=40)
        for target in targets
        for name in (*PROBES, SERVICE)
    ]
    checks = [
        Check(crm=target.crm, target=name, healthy=state != State.DOWN, duration_seconds=seconds)
        for target in targets
        for name, seconds in zip(PROBES, DURATIONS_SECONDS, strict=True)
    ]
    ledger.record(seen, checks, at)


@contextmanager
def _served(file: Path, targets: Targets, clock: Clock) -> Iterator[tuple[Process, int]]:
    """A server that has one core, in a process of its own, and its port."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _serve(file, Status(targets=targets), clock, writing)
    try:
        yield Process(pid), int(os.read(reading, 16))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        os.close(writing)


def _serve(file: Path, status: Status, clock: Clock, told: int) -> NoReturn:
    try:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        with Ledger(file) as ledger:
            server = open_server(("127.0.0.1", 0), ApplianceCollector(ledger, status, clock), make_health(ledger, status, clock))
            os.write(told, str(server.server_port).encode())
            server.serve_forever()
    finally:
        os._exit(1)


def _processor_seconds(server: Process) -> float:
    spent = server.cpu_times()
    return spent.user + spent.system


def _see_and_ask(ledger: Ledger, targets: Targets, at: Moment, port: int) -> float:
    _see(ledger, targets, at, State.UP)
    return _ask(port, len(targets))[0]


def _ask(port: int, crms: int) -> tuple[float, int]:
    """Milliseconds and bytes. Raises MeasureFailed."""
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as connection:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        body = answer.read()
    if answer.status != HTTPStatus.OK or body.count(b"appliance_crm_info{") != crms:
        raise MeasureFailed(f"The metrics came with status {answer.status} and {len(body)} bytes. See whether `bin/test unit` passes.")
    return (time.monotonic() - began) * 1000, len(body)


MEASURE = Measure(
    name="metrics",
    title=f"the answer to Prometheus of {CRMS} CRMs, against the longest wait that is wanted",
    unit="ms",
    goal=1.0,
    rounds=10,
    take=take,
)
