"""How long a request waits until its first step has begun, as the journal says, with a worker that is running and idle."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from appliance.config import Settings
from appliance.operations.requesting import request
from appliance.operations.worker_lock import is_held
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance, open_appliance
from appliance.worker import Worker
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.waiting import wait_until

LONGEST_MILLISECONDS = 20.0
"""The goal of the issue that asked for this: the reference is this figure, not another program."""
IDLE_SECONDS = 0.4
PATIENCE_SECONDS = 20
WORKFLOWS = {
    "work": Workflow(
        kind="work",
        accept=lambda _, __, parameters: dict(parameters),
        steps=(StepDefinition(name="one", title="Do nothing", run=lambda _: None),),
    )
}


def take(rounds: int, say: Say) -> Taken:
    """Request one operation after the other, each when the worker has nothing else to do."""
    with tempfile.TemporaryDirectory(prefix="benchmark-request-") as place:
        appliance = _appliance(Path(place))
        with _worker(appliance):
            waits = [_wait_milliseconds(appliance) for _ in range(rounds + 1)][1:]
    say(f"from {min(waits):.1f} to {max(waits):.1f} ms")
    note = (
        f"Median of {rounds} requests, from the call of request() to the begin of the first step in the journal; fastest "
        f"{min(waits):.1f}, slowest {max(waits):.1f} ms. The reference is the longest wait that is wanted."
    )
    return Taken(ours=median(waits), reference=LONGEST_MILLISECONDS, note=note)


def _appliance(place: Path) -> Appliance:
    names = ("home", "etc", "run", "log", "cache", "crm_root")
    settings = Settings(**{name: place / name for name in names})
    settings.worker_lock.parent.mkdir(parents=True)
    return open_appliance(settings)


@contextmanager
def _worker(appliance: Appliance) -> Iterator[None]:
    pid = os.fork()
    if pid == 0:
        os.setsid()
        try:
            Worker(appliance=appliance, workflows=WORKFLOWS, tell=lambda *_: None).run()
        finally:
            os._exit(0)
    try:
        wait_until(lambda: is_held(appliance.settings.worker_lock), seconds=PATIENCE_SECONDS, what="the worker to be ready")
        time.sleep(IDLE_SECONDS)
        yield
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _wait_milliseconds(appliance: Appliance) -> float:
    called_at = datetime.now(UTC)
    operation = request(appliance, "work", "benchmark", {}, requested_by="benchmarks", now=called_at, workflows=WORKFLOWS)
    journal = appliance.store.operations
    time.sleep(IDLE_SECONDS)  # whoever polls at once takes the time from those that are measured
    wait_until(lambda: journal.get(operation.id).status.is_final, seconds=PATIENCE_SECONDS, what="the operation to end")
    time.sleep(IDLE_SECONDS)
    begun_at = journal.get(operation.id).steps[0].started_at
    if begun_at is None:
        raise MeasureFailed("The operation ended without its step having begun. See whether `bin/test integration` passes.")
    return (begun_at - called_at).total_seconds() * 1000


MEASURE = Measure(
    name="request_to_start",
    title="from a request to the begin of its first step, against the longest wait that is wanted",
    unit="ms",
    goal=1.0,
    rounds=20,
    take=take,
)
