"""The one door: a request is validated, recorded, and the worker is woken. Nothing else starts work."""

import contextlib
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.domain.operation import Operation, OperationStatus
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.certifying import hand_over
from appliance.operations.workflow import Workflow, Workflows
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance


def request(
    appliance: Appliance,
    kind: str,
    instance: str,
    parameters: Mapping[str, Any],
    *,
    requested_by: str,
    now: datetime,
    workflows: Workflows = WORKFLOWS,
) -> Operation:
    """Record an operation and wake the worker; returns at once.

    Raises InvalidRequest, NotFound, PreflightFailed, and Conflict when the instance has an unfinished operation; then nothing was recorded.
    """
    workflow = workflows.get(kind)
    if workflow is None:
        raise InvalidRequest(f"There is no operation {kind!r}; there are {', '.join(sorted(workflows))}.", field="kind")
    accepted = _without_secrets(appliance, workflow, workflow.accept(appliance, instance, parameters))
    operation = appliance.store.operations.record(
        kind=kind,
        instance=instance,
        parameters=accepted,
        steps=[(step.name, step.title) for step in workflow.steps],
        requested_by=requested_by,
        now=now,
    )
    wake(appliance.settings.worker_socket)
    return operation


def _without_secrets(appliance: Appliance, workflow: Workflow, accepted: dict[str, Any]) -> dict[str, Any]:
    """What may be recorded; the secrets wait in the vault, under a name that the record holds."""
    secrets = {name: accepted[name] for name in workflow.secrets if accepted.get(name)}
    return {**accepted, **dict.fromkeys(secrets), "handover": hand_over(appliance, secrets)} if secrets else accepted


def cancel(appliance: Appliance, operation_id: int, *, requested_by: str, now: datetime) -> Operation:
    """Ask an operation to stop at its next safe point. Raises NotFound, or Conflict when it has ended."""
    operation = appliance.store.operations.request_cancel(operation_id, now=now)
    appliance.store.access.audit(
        actor=requested_by, action="cancel", subject=operation.instance, detail={"operation": operation_id}, now=now
    )
    return operation


def retry(appliance: Appliance, operation_id: int, *, requested_by: str, now: datetime) -> Operation:
    """Go on with an operation that needs attention, or request an ended one anew. Raises NotFound, Conflict and what `request` raises."""
    operation = appliance.store.operations.get(operation_id)
    if operation.status == OperationStatus.NEEDS_ATTENTION:
        reopened = appliance.store.operations.reopen(operation_id)
        appliance.store.access.audit(
            actor=requested_by, action="retry", subject=operation.instance, detail={"operation": operation_id}, now=now
        )
        wake(appliance.settings.worker_socket)
        return reopened
    if operation.status == OperationStatus.SUCCEEDED or not operation.status.is_final:
        raise Conflict(f"Operation {operation_id} is {operation.status.value}; only one that ended without its result can be tried again.")
    return request(appliance, operation.kind, operation.instance, operation.parameters, requested_by=requested_by, now=now)


def wake(worker_socket: Path) -> None:
    """Tell the worker to look now; without a worker the operation waits in the journal."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"!", str(worker_socket))
