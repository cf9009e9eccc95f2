"""The main job: an administrator, the default CRM, its first backup, and a restore that proves it; each only if it is not there yet."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from argon2 import PasswordHasher

from appliance.domain.instance import InstanceState
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import StepFailed
from appliance.operations.requesting import request
from appliance.setup.ahead import INSTANCE
from appliance.setup.progress import Progress
from appliance.wiring import Appliance

ADMINISTRATOR = "admin"
ACTOR = "appliance up"
PASSWORD_BYTES = 15
"""20 characters; more than anybody guesses in the 12 failures an hour that the lockout allows."""
POLL_SECONDS = 0.2
ENDED_STEPS = frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.UNDONE})


class OperationEnded(StepFailed):
    """An operation of the main job ended without its result."""

    def __init__(self, operation: Operation) -> None:
        cause = operation.cause or f"operation {operation.id} ended as {operation.status.value}"
        super().__init__(cause)
        self.operation = operation


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the steps of the main job need."""

    appliance: Appliance
    progress: Progress
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    poll_seconds: float = POLL_SECONDS


def create_administrator(job: Job) -> str | None:
    """Create the first user, unless there is any, and return the one-time password, which is shown at once."""
    access = job.appliance.store.access
    if access.users():
        job.progress.skip("Creating the administrator")
        return None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    with job.progress.step("Creating the administrator"):
        password_hash = PasswordHasher().hash(password)
        access.put_user(name=ADMINISTRATOR, password_hash=password_hash, role="administrator", must_change=True, now=job.now())
        job.progress.below(f"{ADMINISTRATOR}, with the one-time password {password}")
    return password


def install(job: Job) -> bool:
    """Install the default CRM, unless it or another one is there; returns whether anything was done. Raises OperationEnded."""
    instances = [instance for instance in job.appliance.store.instances.list() if instance.state != InstanceState.SCRATCH]
    ours = next((instance for instance in instances if instance.name == INSTANCE), None)
    serves = ours is not None and ours.state == InstanceState.ACTIVE
    if serves or (instances and ours is None):
        job.progress.skip("Installing the CRM")
        return False
    product = job.appliance.catalogue.default(job.appliance.settings.default_product).definition
    _carry_out(job, f"Installing {product.name}", "install", {"product": product.id})
    return True


def back_up(job: Job) -> bool:
    """Take the first recovery point of the default CRM, unless it has one; returns whether anything was done. Raises OperationEnded."""
    if not _is_ours_there(job) or job.appliance.store.points.list(INSTANCE):
        job.progress.skip("Taking the first backup")
        return False
    _carry_out(job, "Taking the first backup", "backup", {})
    return True


def prove(job: Job) -> bool:
    """Restore a recovery point beside the live CRM, unless one is proven; returns whether anything was done. Raises OperationEnded."""
    points = job.appliance.store.points.list(INSTANCE)
    if not _is_ours_there(job) or any(point.proven_at for point in points):
        job.progress.skip("Proving it by a restore")
        return False
    _carry_out(job, "Proving it by a restore", "drill", {})
    return True


def _is_ours_there(job: Job) -> bool:
    return job.appliance.store.instances.find(INSTANCE) is not None


def _carry_out(job: Job, title: str, kind: str, parameters: dict[str, Any]) -> None:
    """Request an operation and follow it to its end; one of the same kind that is under way already is followed instead."""
    with job.progress.step(title):
        held = job.appliance.store.operations.unfinished(INSTANCE)
        is_same = held is not None and held.kind == kind and held.status != OperationStatus.NEEDS_ATTENTION
        operation = held if held is not None and is_same else _request(job, kind, parameters)
        ended = follow(job, operation.id)
        if ended.status != OperationStatus.SUCCEEDED:
            raise OperationEnded(ended)


def _request(job: Job, kind: str, parameters: dict[str, Any]) -> Operation:
    return request(job.appliance, kind, INSTANCE, parameters, requested_by=ACTOR, now=job.now())


def follow(job: Job, operation_id: int) -> Operation:
    """Print each step of an operation as it ends, and return the operation when it has ended or needs attention."""
    shown: set[str] = set()
    while True:
        operation = job.appliance.store.operations.get(operation_id)
        for step in operation.steps:
            if step.status in ENDED_STEPS and step.name not in shown:
                shown.add(step.name)
                job.progress.below(_step_line(step.title, step.status, step.started_at, step.finished_at))
        if operation.status not in (OperationStatus.QUEUED, OperationStatus.RUNNING):
            return operation
        time.sleep(job.poll_seconds)


def _step_line(title: str, status: StepStatus, started_at: datetime | None, finished_at: datetime | None) -> str:
    took = f"{(finished_at - started_at).total_seconds():.0f} s" if started_at and finished_at else ""
    result = took if status == StepStatus.SUCCEEDED else status.value
    return f"{title} … {result}"
