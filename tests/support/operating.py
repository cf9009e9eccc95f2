"""An appliance in a temporary home, with workflows that a test writes itself; the store, the engine and the worker are the real ones."""

import atexit
import functools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.workflow import StepDefinition, Workflow, Workflows
from appliance.store.database import open_database
from appliance.wiring import Appliance, open_appliance
from appliance.worker import Worker


def make_appliance(home: Path, **settings: Any) -> Appliance:
    """An appliance whose every path lies below `home`."""
    made = Settings(
        home=home / "home",
        etc=home / "etc",
        run=home / "run",
        log=home / "log",
        cache=home / "cache",
        crm_root=home / "crm",
        orphan_patience_seconds=20,
        **settings,
    )
    made.home.mkdir(parents=True)
    shutil.copy(_migrated_database(), made.database_file)
    return open_appliance(made)


@functools.cache
def _migrated_database() -> Path:
    """A store with its schema, made once and copied for each test."""
    directory = Path(tempfile.mkdtemp(prefix="appliance-test-store-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    file = directory / "appliance.sqlite"
    database = open_database(file)
    database.engine.dispose()
    return file


def workflows_of(*steps: StepDefinition) -> Workflows:
    """One kind of operation, `work`, that accepts everything."""
    return {"work": Workflow(kind="work", accept=lambda _, __, parameters: dict(parameters), steps=tuple(steps))}


def now() -> datetime:
    """The moment."""
    return datetime.now(UTC)


def record(appliance: Appliance, workflows: Workflows, instance: str = "demo") -> Operation:
    """Record a `work` operation without waking anybody."""
    steps: Iterable[tuple[str, str]] = [(step.name, step.title) for step in workflows["work"].steps]
    return appliance.store.operations.record(kind="work", instance=instance, parameters={}, steps=steps, requested_by="Alice", now=now())


def start_worker(appliance: Appliance, workflows: Workflows) -> int:
    """Fork a worker; give its process id."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        try:
            Worker(appliance=appliance, workflows=workflows, tell=lambda *_: None).run()
        finally:
            os._exit(0)
    return pid


def stop_worker(pid: int, number: signal.Signals = signal.SIGTERM) -> None:
    """End a worker and wait for it."""
    os.kill(pid, number)
    os.waitpid(pid, 0)


def await_end(appliance: Appliance, operation_id: int, *, patience_seconds: float = 20) -> Operation:
    """Wait until an operation ends."""
    await_true(lambda: _has_ended(appliance.store.operations.get(operation_id)), patience_seconds=patience_seconds)
    return appliance.store.operations.get(operation_id)


def await_true(condition: Callable[[], bool], *, patience_seconds: float = 20) -> None:
    """Wait for a condition; fail the test when it does not come true."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _has_ended(operation: Operation) -> bool:
    return operation.status.is_final or operation.status == OperationStatus.NEEDS_ATTENTION
