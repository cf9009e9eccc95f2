"""Look after certificates: request the renewal of those that are due, and throw away keys that no request needs any more."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.instance import InstanceState
from appliance.domain.operation import OperationStatus
from appliance.errors import ApplianceError
from appliance.operations.certifying import HANDOVER_PREFIX
from appliance.operations.requesting import request
from appliance.wiring import Appliance

PAUSE_SECONDS = 3600.0
PAUSE_AFTER_FAILURE = timedelta(hours=20)
"""So that what fails is tried about daily: authorities count attempts, and people read the list of operations."""
REMEMBERED_OPERATIONS = 500
REQUESTED_BY = "the appliance"


@dataclass(kw_only=True)
class Renewing:
    """Looks once an hour, and only while nothing else is to be done."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0

    def look(self, appliance: Appliance, now: datetime, *, idle: bool) -> None:
        """Look if it is time."""
        if idle and self.monotonic() >= self.due_at:
            self.due_at = self.monotonic() + PAUSE_SECONDS
            renew_due(appliance, now)
            forget_unneeded(appliance)


def renew_due(appliance: Appliance, now: datetime) -> list[str]:
    """Request what is due; gives the names. A refusal is said on standard error, and the next look tries again."""
    requested = []
    for instance in appliance.store.instances.list():
        is_due = instance.state is InstanceState.ACTIVE and instance.tls.is_due(now)
        if not is_due or has_failed_lately(appliance, "certificate", instance.name, now):
            continue
        try:
            request(appliance, "certificate", instance.name, {"action": "renew"}, requested_by=REQUESTED_BY, now=now)
            requested.append(instance.name)
        except ApplianceError as error:
            print(f"The certificate of {instance.name} is due and was not renewed: {error}", file=sys.stderr)
    return requested


def forget_unneeded(appliance: Appliance) -> list[str]:
    """Forget the keys of requests that have ended well, or that nobody will find to try again."""
    operations = appliance.store.operations.list(limit=REMEMBERED_OPERATIONS)
    needed = {operation.parameters.get("handover") for operation in operations if operation.status is not OperationStatus.SUCCEEDED}
    unneeded = [scope for scope in appliance.store.vault.scopes(HANDOVER_PREFIX) if scope not in needed]
    for scope in unneeded:
        appliance.store.vault.forget(scope)
    return unneeded


def has_failed_lately(appliance: Appliance, kind: str, instance: str, now: datetime, *, pause: timedelta = PAUSE_AFTER_FAILURE) -> bool:
    """Whether the last operation of that kind did not succeed, and to try again is for later: for another day, if no pause is named."""
    last = next(iter(appliance.store.operations.list(instance=instance, kind=kind, limit=1)), None)
    return last is not None and last.status is not OperationStatus.SUCCEEDED and now - last.requested_at < pause
