"""Look after what the appliance keeps on managed hosts: its programs are to be of its version, and Prometheus to watch what there is."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from appliance.domain.host import Host, HostState
from appliance.errors import ApplianceError, Conflict
from appliance.hosts.tools import archive_digest
from appliance.operations.renewing import REQUESTED_BY, has_failed_lately
from appliance.operations.requesting import request
from appliance.operations.scraping import metrics_address
from appliance.operations.stack.files import stack_files
from appliance.operations.stack.kept import digest_of, stack_hosts
from appliance.wiring import Appliance

PAUSE_SECONDS = 60.0
PAUSE_AFTER_FAILURE = timedelta(hours=1)
"""A host that is down is back some time; until it has been prepared, its backups fail."""

_current = cache(archive_digest)


@dataclass(kw_only=True)
class Refreshing:
    """Looks once a minute, and only while nothing else is to be done."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0

    def look(self, appliance: Appliance, now: datetime, *, idle: bool) -> None:
        """Look if it is time."""
        if idle and self.monotonic() >= self.due_at:
            self.due_at = self.monotonic() + PAUSE_SECONDS
            refresh_tools(appliance, now)
            refresh_stacks(appliance, now)


def refresh_tools(appliance: Appliance, now: datetime) -> list[str]:
    """Request the preparation of each host whose programs are of another version; gives their names. Its policy stays as it is.

    Not while schedules are paused.
    """
    requested: list[str] = []
    if appliance.store.schedules.all_paused(now) is not None:
        return requested
    for host in appliance.store.hosts.list():
        if not _is_behind(host) or has_failed_lately(appliance, "host-prepare", host.subject, now, pause=PAUSE_AFTER_FAILURE):
            continue
        try:
            request(appliance, "host-prepare", host.subject, {}, requested_by=REQUESTED_BY, now=now)
            requested.append(host.name)
        except Conflict:
            continue  # somebody works there, and it is asked again at the next look
        except ApplianceError as error:
            print(f"The appliance's programs on {host.name} stay as they are: {error}", file=sys.stderr)
    return requested


def refresh_stacks(appliance: Appliance, now: datetime) -> list[str]:
    """Request each monitoring stack anew whose CRMs, hosts or channels are others than it was told of; gives the hosts' names.

    Not while schedules are paused.
    """
    requested: list[str] = []
    if appliance.store.schedules.all_paused(now) is not None:
        return requested
    for name in stack_hosts(appliance):
        try:
            host = appliance.store.hosts.get(name)
            if _is_outdated(appliance, host, now) and not has_failed_lately(
                appliance, "monitoring-stack", host.subject, now, pause=PAUSE_AFTER_FAILURE
            ):
                request(appliance, "monitoring-stack", host.subject, {}, requested_by=REQUESTED_BY, now=now)
                requested.append(name)
        except Conflict:
            continue  # as above
        except ApplianceError as error:
            print(f"Prometheus on {name} watches what it did before: {error}", file=sys.stderr)
    return requested


def _is_outdated(appliance: Appliance, host: Host, now: datetime) -> bool:
    address, told = metrics_address(appliance), digest_of(appliance, host.name)
    return address is not None and told not in ("", stack_files(appliance, host, address, now).digest)


def _is_behind(host: Host) -> bool:
    return not host.is_local and host.state is HostState.READY and host.facts.get("tools") != _current()
