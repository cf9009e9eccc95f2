"""Look after the received logs of databases.

After an upgrade or a restore another database serves, whose log is to be received; a repository that was added is to get it, too. And
each day a new base is saved, or sooner where replaying the log would take longer than was promised.
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
from monitoring.facts import LOG_REPLAYED
from monitoring.ledger import Ledger

PAUSE_SECONDS = 15.0
PAUSE_AFTER_FAILURE = timedelta(minutes=15)
"""Not a day, as for what can wait: until it succeeds, what people write is kept by recovery points only."""
BASE_EVERY = timedelta(days=1)
SOONEST_BASE_AFTER = timedelta(hours=1)
REPLAYED_BYTES_PER_SECOND = 20 * 1024**2
"""Careful: `python -m benchmarks restore_full` has seen ten times as much, of a database that fits into memory."""
REPLAY_SHARE = 0.5
"""Of the time after which a CRM is promised to be back; the rest is for bringing the base and the files back, and for the start."""


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
    """Request a new base where one is due; gives the names. Not while schedules are paused.

    One is due when the last is a day old and no schedule says when, and when replaying the log since would break the promise (RTO).
    """
    store, requested = appliance.store, []
    if store.schedules.all_paused(now) is not None:
        return []
    scheduled = {one.subject for one in store.schedules.list() if one.kind == Work.ARCHIVE}
    for instance in store.instances.list():
        if not _may_have_a_base(appliance, instance, now):
            continue
        age = _age_of_base(appliance, instance, now)
        is_old = instance.name not in scheduled and age >= BASE_EVERY
        if not is_old and not (age >= SOONEST_BASE_AFTER and _replays_too_long(appliance, instance)):
            continue
        try:
            request(appliance, "archive", instance.name, {}, requested_by=REQUESTED_BY, now=now)
            requested.append(instance.name)
        except Conflict:
            continue  # it is busy, and asked again at the next look
        except ApplianceError as error:
            print(f"No new base of {instance.name} is saved yet: {error}", file=sys.stderr)
    return requested


def _may_have_a_base(appliance: Appliance, instance: Instance, now: datetime) -> bool:
    has_archive = instance.state is InstanceState.ACTIVE and instance.archive is not None
    return has_archive and not has_failed_lately(appliance, "archive", instance.name, now)


def _age_of_base(appliance: Appliance, instance: Instance, now: datetime) -> timedelta:
    """Nothing for a CRM that never had one: somebody asks for the first."""
    done = [OperationStatus.SUCCEEDED]
    last = next(iter(appliance.store.operations.list(instance=instance.name, kind="archive", status=done, limit=1)), None)
    return now - last.requested_at if last else timedelta()


def _replays_too_long(appliance: Appliance, instance: Instance) -> bool:
    if instance.objectives.rto is None or not appliance.settings.ledger_file.exists():
        return False
    with Ledger(appliance.settings.ledger_file) as ledger:
        replayed = ledger.facts().get(LOG_REPLAYED, {}).get((instance.name, ""), 0.0)
    return replayed / REPLAYED_BYTES_PER_SECOND > instance.objectives.rto.total_seconds() * REPLAY_SHARE


def _is_behind(instance: Instance, relays: Mapping[str, str]) -> bool:
    if instance.state is not InstanceState.ACTIVE or instance.archive is None or instance.deployment is None:
        return False
    return (instance.archive.deployment, instance.archive.relays) != (instance.deployment.id, relays)
