"""The one door: a request is validated, recorded, and the worker is woken. Nothing else starts work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.domain.operation import Operation, OperationStatus
from appliance.domain.request_key import RequestKey
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.recording import record, wake
from appliance.operations.workflow import Workflows
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
    key: RequestKey | None = None,
) -> Operation:
    """Record an operation and wake the worker; returns at once. With a key, what it is answered is recorded with it.

    Raises InvalidRequest, NotFound, PreflightFailed, and Conflict when the instance has an unfinished operation; then nothing was recorded.
    """
    workflow = workflows.get(kind)
    if workflow is None:
        raise InvalidRequest(f"There is no operation {kind!r}; there are {', '.join(sorted(workflows))}.", field="kind")
    return record(appliance, workflow, instance, parameters, requested_by=requested_by, now=now, key=key)


def cancel(appliance: Appliance, operation_id: int, *, requested_by: str, now: datetime) -> Operation:
    """Ask an operation to stop at its next safe point. Raises NotFound, or Conflict when it has ended."""
    operation = appliance.store.operations.request_cancel(operation_id, now=now)
    appliance.store.access.audit(
        actor=requested_by, action="cancel", subject=operation.instance, detail={"operation": operation_id}, now=now
    )
    return operation


def approve(appliance: Appliance, operation_id: int, *, approved_by: str, now: datetime) -> Operation:
    """Agree to what somebody else has requested, so that it begins. Raises NotFound, Conflict, InvalidRequest."""
    operation = appliance.store.operations.approve(operation_id, by=approved_by, now=now)
    wake(appliance.settings.worker_socket)
    return operation


def retry(appliance: Appliance, operation_id: int, *, requested_by: str, now: datetime, key: RequestKey | None = None) -> Operation:
    """Go on with an operation that needs attention, or request an ended one anew. Raises NotFound, Conflict and what `request` raises."""
    operation = appliance.store.operations.get(operation_id)
    if operation.status == OperationStatus.NEEDS_ATTENTION:
        reopened = appliance.store.operations.reopen(operation_id, now=now, key=key)
        appliance.store.access.audit(
            actor=requested_by, action="retry", subject=operation.instance, detail={"operation": operation_id}, now=now
        )
        wake(appliance.settings.worker_socket)
        return reopened
    if operation.status == OperationStatus.SUCCEEDED or not operation.status.is_final:
        raise Conflict(f"Operation {operation_id} is {operation.status.value}; only one that ended without its result can be tried again.")
    return request(appliance, operation.kind, operation.instance, operation.parameters, requested_by=requested_by, now=now, key=key)
