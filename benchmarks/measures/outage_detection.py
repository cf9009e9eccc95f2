"""How soon the monitor of a thousand CRMs on one core has written down that half of them went away, while the other half hangs."""

import os
import signal
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.probing import CRMS, INTERVAL_SECONDS, TIMEOUT_SECONDS, a_server, monitor
from benchmarks.waiting import wait_until
from monitoring.ledger import SERVICE, Ledger, State

ALLOWED_SECONDS = 5.0
"""What the issue that asked for this allows on top of the interval; the reference is this figure, not another program."""
PATIENCE_SECONDS = 120
POLL_SECONDS = 0.2


def take(_: int, say: Say) -> Taken:
    """One server stands still first, so that its CRMs hang; when that is known, the other one is killed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-detection-") as name:
        place = Path(name)
        with a_server(place / "hangs") as (hanging, first), a_server(place / "dies") as (dying, second), monitor(place, first, second):
            file = place / "ledger.sqlite"
            wait_until(file.exists, seconds=PATIENCE_SECONDS, what="the ledger")
            with Ledger(file) as ledger:
                _wait(ledger, State.UP, range(CRMS))
                time.sleep(INTERVAL_SECONDS)
                hangs = _strike(ledger, hanging, signal.SIGSTOP, range(0, CRMS, 2))
                say(f"hanging CRMs were known to be down after at most {max(hangs):.1f} s")
                time.sleep(INTERVAL_SECONDS)
                dies = _strike(ledger, dying, signal.SIGKILL, range(1, CRMS, 2))
                say(f"CRMs that are gone after at most {max(dies):.1f} s")
    note = (
        f"The slowest of {len(dies)} CRMs whose server was killed, from the kill until the ledger says that it is down, confirmed by a "
        f"second probe; each asked every {INTERVAL_SECONDS:g} s on one core, while {len(hangs)} others hang until their timeout of "
        f"{TIMEOUT_SECONDS:g} s. On average {sum(dies) / len(dies):.1f} s. Those that hang were found at most {max(hangs):.1f} s after "
        f"their server stood still. The reference is the interval and {ALLOWED_SECONDS:g} s."
    )
    return Taken(ours=max(dies), reference=INTERVAL_SECONDS + ALLOWED_SECONDS, note=note)


def _strike(ledger: Ledger, server: psutil.Process, harm: signal.Signals, numbers: range) -> list[float]:
    """Seconds after which each of the CRMs was known to be down."""
    began = time.monotonic()
    for process in (server, *server.children(recursive=True)):  # a master would replace its workers
        os.kill(process.pid, harm)
    return _wait(ledger, State.DOWN, numbers, began=began)


def _wait(ledger: Ledger, state: State, numbers: range, *, began: float = 0) -> list[float]:
    left, seen = {f"crm-{number:04}" for number in numbers}, list[float]()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left:
        if time.monotonic() > deadline:
            raise MeasureFailed(f"{len(left)} of {len(numbers)} CRMs were not seen {state} within {PATIENCE_SECONDS} s.")
        found = {crm for (crm, target), newest in ledger.latest().items() if target == SERVICE and newest.state is state} & left
        seen += [time.monotonic() - began] * len(found)
        left -= found
        time.sleep(POLL_SECONDS)
    return seen


MEASURE = Measure(
    name="outage_detection",
    title=f"from the end of a server until the monitor of {CRMS} CRMs knows it, against the interval and {ALLOWED_SECONDS:g} s",
    unit="s",
    goal=1.0,
    rounds=1,
    take=take,
)
