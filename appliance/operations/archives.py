"""Look after the received logs of databases.

After an upgrade or a restore another database serves, whose log is to be received; a repository that was added is to get it, too. And
each day a new base is saved, so that going back replays the log of about a day at the most.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.operation import OperationStatus
from appliance.domain.schedule import Work
from appliance.errors import ApplianceError, Conflict
from appliance.operations.renewing import REQUESTED_BY, has_failed_lately
from appliance.operations.requesting import request
from appliance.operations.steps.archiving import relays_to
from appliance.wiring import Appliance

PAUSE_SECONDS = 15.0
PAUSE_AFTER_FAILURE = timedelta(minutes=15)
"""Not a day, as for what can wait: until it succeeds, what people write is kept by recovery points only."""
BASE_EVERY = timedelta(days=1)


@dataclass(kw_only=True)
class Archives:
    """Looks a few times a minute, and only while nothing else is to be done."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0

    def look(self, appliance: Appliance, now: datetime, *, idle: bool) -> None:
        """Look if it is time."""
        if idle and self.monotonic() >= self.due_at:
            self.due_at = self.monotonic() + PAUSE_SECONDS
            follow_switches(appliance, now)
            save_bases(appliance, now)


def follow_switches(appliance: Appliance, now: datetime) -> list[str]:
    """Request that the log of what serves now is received; gives the names. A refusal is said on standard error, and tried again."""
    requested, relays = [], relays_to(appliance)
    for instance in appliance.store.instances.list():
        if not _is_behind(instance, relays) or has_failed_lately(appliance, "archive", instance.name, now, pause=PAUSE_AFTER_FAILURE):
            continue
        try:
            request(appliance, "archive", instance.name, {}, requested_by=REQUESTED_BY, now=now)
            requested.append(instance.name)
        except ApplianceError as error:
            print(f"The log of what {instance.name} serves now is not received yet: {error}", file=sys.stderr)
    return requested


def save_bases(appliance: Appliance, now: datetime) -> list[str]:
    """Request a new base where the last one is a day old and no schedule says when; gives the names. Not while schedules are paused."""
    store, requested = appliance.store, []
    if store.schedules.paused_by() is not None:
        return []
    scheduled = {one.subject for one in store.schedules.list() if one.kind == Work.ARCHIVE}
    for instance in store.instances.list():
        if instance.name in scheduled or not _has_an_old_base(appliance, instance, now):
            continue
        try:
            request(appliance, "archive", instance.name, {}, requested_by=REQUESTED_BY, now=now)
            requested.append(instance.name)
        except Conflict:
            continue  # it is busy, and asked again at the next look
        except ApplianceError as error:
            print(f"No new base of {instance.name} is saved yet: {error}", file=sys.stderr)
    return requested


def _has_an_old_base(appliance: Appliance, instance: Instance, now: datetime) -> bool:
    if (
        instance.state is not InstanceState.ACTIVE
        or instance.archive is None
        or has_failed_lately(appliance, "archive", instance.name, now)
    ):
        return False
    done = [OperationStatus.SUCCEEDED]
    last = next(iter(appliance.store.operations.list(instance=instance.name, kind="archive", status=done, limit=1)), None)
    return last is not None and now - last.requested_at >= BASE_EVERY


def _is_behind(instance: Instance, relays: Mapping[str, str]) -> bool:
    if instance.state is not InstanceState.ACTIVE or instance.archive is None or instance.deployment is None:
        return False
    return (instance.archive.deployment, instance.archive.relays) != (instance.deployment.id, relays)
