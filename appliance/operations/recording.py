"""Have a request validated by its kind, write it down, and wake the worker."""

import contextlib
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.domain.operation import Operation
from appliance.domain.request_key import RequestKey
from appliance.operations.certifying import hand_over
from appliance.operations.workflow import Workflow
from appliance.wiring import Appliance

APPROVED = frozenset({"patch", "upgrade", "rollback", "configure", "restore", "restore-files", "restore-tables", "remove"})
"""Kinds that change or replace what serves; where an instance asks for it, a second person agrees to them."""


def record(
    appliance: Appliance,
    workflow: Workflow,
    instance: str,
    parameters: Mapping[str, Any],
    *,
    requested_by: str,
    now: datetime,
    key: RequestKey | None = None,
) -> Operation:
    """Returns at once. Raises InvalidRequest, NotFound, PreflightFailed, and Conflict when the instance has an unfinished operation."""
    accepted = _without_secrets(appliance, workflow, workflow.accept(appliance, instance, parameters))
    operation = appliance.store.operations.record(
        kind=workflow.kind,
        instance=instance,
        parameters=accepted,
        steps=[(step.name, step.title) for step in workflow.steps],
        requested_by=requested_by,
        now=now,
        awaits_approval=needs_approval(appliance, workflow.kind, instance),
        key=key,
    )
    wake(appliance.settings.worker_socket)
    return operation


def needs_approval(appliance: Appliance, kind: str, instance: str) -> bool:
    """Whether an operation of that kind begins only when a second person has agreed."""
    found = appliance.store.instances.find(instance)
    return found is not None and found.asks_approval and kind in APPROVED


def _without_secrets(appliance: Appliance, workflow: Workflow, accepted: dict[str, Any]) -> dict[str, Any]:
    """What may be recorded; the secrets wait in the vault, under a name that the record holds."""
    secrets = {name: accepted[name] for name in workflow.secrets if accepted.get(name)}
    return {**accepted, **dict.fromkeys(secrets), "handover": hand_over(appliance, secrets)} if secrets else accepted


def wake(worker_socket: Path) -> None:
    """Tell the worker to look now; without a worker the operation waits in the journal."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(b"!", str(worker_socket))
