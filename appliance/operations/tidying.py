"""Look at every host once for what is left behind there, and request its clearing. Where nothing is found, nothing is written."""

import sys
from collections.abc import Iterator, Mapping
from datetime import datetime

from appliance.domain.instance import InstanceState
from appliance.errors import ApplianceError
from appliance.operations.leftovers import Leftovers, View, foreign, left_behind, see
from appliance.operations.machines import machine_of, require_reachable
from appliance.operations.renewing import REQUESTED_BY, has_failed_lately
from appliance.operations.requesting import request
from appliance.operations.workflow import Workflows
from appliance.wiring import Appliance

Standing = Mapping[str, int]
"""Of instances at rest, the number of their newest operation."""


def hosts_at_rest(appliance: Appliance) -> Mapping[str, Standing]:
    """The hosts that can be looked at, each with those of its instances that serve and that no unfinished operation works on."""
    found: dict[str, dict[str, int]] = {}
    for instance in appliance.store.instances.list():
        newest = _newest_if_at_rest(appliance, instance.name)
        if instance.state is InstanceState.ACTIVE and instance.deployment is not None and newest is not None:
            found.setdefault(instance.host, {})[instance.name] = newest
    return found


def tidy_up(appliance: Appliance, hosts: Mapping[str, Standing], now: datetime, *, workflows: Workflows) -> list[str]:
    """Request what there is to be cleared on hosts at rest; gives the names of the instances.

    What cannot be looked at, what is left alone and what is refused is said on standard error.
    """
    requested: list[str] = []
    for host, standing in hosts.items():
        try:
            view = _view_of(appliance, host)
        except ApplianceError as error:
            _say(f"{host} was not looked at for what may be left behind there: {error}")
            continue
        for name in foreign(appliance, view):
            _say(f"{name} on {host} belongs to no CRM of this appliance and is left alone")
        requested += [name for name in _to_tidy(appliance, standing, view, now) if _is_requested(appliance, name, now, workflows)]
    return requested


def _view_of(appliance: Appliance, host: str) -> View:
    require_reachable(appliance, host)
    machine = machine_of(appliance, host, channel="tidy")
    try:
        return see(appliance, machine)
    finally:
        machine.reach.close()


def _to_tidy(appliance: Appliance, standing: Standing, view: View, now: datetime) -> Iterator[str]:
    """Instances at rest since before the view was taken, of which something is left behind; the first also sees to processes there."""
    processes_are_seen_to = False
    for name, newest in sorted(standing.items()):
        if _newest_if_at_rest(appliance, name) != newest:
            continue
        left = left_behind(appliance, appliance.store.instances.get(name), view)
        _tell(name, left)
        if left.stranger is not None or not (left.is_its_own or (left.operations and not processes_are_seen_to)):
            continue
        if has_failed_lately(appliance, "tidy", name, now):
            _say(f"{name} was tidied in vain lately, and is left as it is for today")
            continue
        processes_are_seen_to = True
        yield name


def _is_requested(appliance: Appliance, name: str, now: datetime, workflows: Workflows) -> bool:
    try:
        request(appliance, "tidy", name, {}, requested_by=REQUESTED_BY, now=now, workflows=workflows)
    except ApplianceError as error:
        _say(f"{name} was not tidied: {error}")
        return False
    return True


def _newest_if_at_rest(appliance: Appliance, instance: str) -> int | None:
    """None while an operation is unfinished, 0 when there was none."""
    newest = next(iter(appliance.store.operations.list(instance=instance, limit=1)), None)
    if newest is not None and not newest.status.is_final:
        return None
    return newest.id if newest else 0


def _tell(name: str, left: Leftovers) -> None:
    if left.stranger is not None:
        _say(f"{name}: its link `current` points to {left.stranger}, which the appliance does not remember; nothing of it is cleared")
    elif str(left):
        mend = f"; to remove those: appliance instance tidy {name} --unknown" if left.unknown else ""
        _say(f"{name}: left behind: {left}{mend}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
