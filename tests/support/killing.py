"""Kill -9 of the worker in every step of an operation, each at a moment drawn by chance, and what is left after it."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.operations.requesting import request
from tests.support.house import CLONE, House
from tests.support.operating import now

LATEST_SECONDS = 5.0
"""A kill comes at most so long after a step has begun, or when its work is done but not yet journalled."""
PATIENCE_SECONDS = 900


def start_faulty_worker(house: House, faults: dict[str, str]) -> subprocess.Popen[bytes]:
    """A worker of the test's own."""
    argv = [sys.executable, "-m", "tests.support.faulty_worker", json.dumps(faults)]
    with (house.settings.log / "faulty-worker.log").open("ab") as log:
        return subprocess.Popen(argv, cwd=CLONE, env=house.environment, stdout=log, stderr=log, start_new_session=True)


@contextmanager
def failing_in(house: House, step: str) -> Iterator[None]:
    """A worker that fails in one step, instead of the supervised one."""
    worker = start_faulty_worker(house, {"fail": step})
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(30)


def carry_with_kills(house: House, kind: str, instance: str, parameters: dict[str, Any], *, seed: int) -> tuple[Operation, list[str]]:
    """Request an operation and kill worker and carrier once in each of its steps; give how it ended and the steps they were hit in."""
    chance, hit = random.Random(seed), list[str]()  # noqa: S311 - a seed makes the moments repeatable
    deadline = time.monotonic() + PATIENCE_SECONDS
    with house.own_worker_stopped(), tempfile.TemporaryDirectory() as marks:
        operation_id = request(house.appliance, kind, instance, parameters, requested_by="Alice", now=now()).id
        worker = start_faulty_worker(house, {"marks": marks})
        while not _has_ended(operation := house.appliance.store.operations.get(operation_id)):
            assert time.monotonic() < deadline, f"operation {operation_id} does not end; hit so far: {hit}"
            step = _running(operation)
            if step and step not in hit and _await_moment(house, operation_id, step, Path(marks), chance):
                _kill_carrier(house, operation_id)
                worker.kill()
                worker.wait()
                hit.append(step)
                worker = start_faulty_worker(house, {"marks": marks})
            time.sleep(0.02)
        worker.terminate()
        worker.wait(30)
    return operation, hit


def _await_moment(house: House, operation_id: int, step: str, marks: Path, chance: random.Random) -> bool:
    """Wait for the moment to kill; whether the step still runs then."""
    moment = time.monotonic() + chance.uniform(0, LATEST_SECONDS)
    while time.monotonic() < moment and not (marks / f"{operation_id}-{step}").exists():
        time.sleep(0.02)
    return _running(house.appliance.store.operations.get(operation_id)) == step


def _kill_carrier(house: House, operation_id: int) -> None:
    file = house.settings.worker_lock.with_name(f"carrier-{operation_id}")
    os.kill(int(file.read_text().split()[0]), signal.SIGKILL)


def _running(operation: Operation) -> str | None:
    return next((step.name for step in operation.steps if step.status == StepStatus.RUNNING), None)


def _has_ended(operation: Operation) -> bool:
    return operation.status.is_final or operation.status == OperationStatus.NEEDS_ATTENTION
