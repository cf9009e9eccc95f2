"""Look at the machine, its managed hosts and the appliance without changing anything; every finding comes with its mend."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.domain.host import Host, HostState
from appliance.errors import NotFound, PreflightFailed, StepFailed
from appliance.hosts.tools import archive_digest
from appliance.operations.kinds.host_prepare import see_host
from appliance.operations.machines import machine_of
from appliance.operations.preflight import database_answers
from appliance.operations.steps.health import ask_probes, probes_of
from appliance.operations.this_machine import LEAST_FREE_BYTES, Finding, examine_this_machine
from appliance.operations.variables import database_spec
from appliance.products.probing import Door
from appliance.wiring import Appliance


def examine(appliance: Appliance) -> list[Finding]:
    """Everything that can be seen from here."""
    looks = [_look(appliance, host) for host in appliance.store.hosts.list() if not host.is_local]
    lost = {look.host.name for look in looks if look.problem}
    return [*examine_this_machine(appliance), *_hosts(looks), *_instances(appliance, lost)]


@dataclass(frozen=True, kw_only=True)
class Look:
    """A managed host as it is now; `problem` says why nothing could be seen of it."""

    host: Host
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None


def _look(appliance: Appliance, host: Host) -> Look:
    try:
        return Look(host=host, facts=see_host(machine_of(appliance, host.name, channel="doctor").reach))
    except (StepFailed, PreflightFailed, NotFound) as error:
        return Look(host=host, problem=str(error))


def _hosts(looks: Sequence[Look]) -> Iterator[Finding]:
    """Whether each answers, was prepared by this version of the appliance, and has room."""
    for look in looks:
        subject = f"host {look.host.name}"
        yield Finding(subject=subject, ok=look.problem is None, text=look.problem or str(look.facts["system"]))
        yield _preparation(look.host, subject)
        yield from _rooms(look, subject)


def _preparation(host: Host, subject: str) -> Finding:
    mend = f"run: appliance host prepare {host.name}"
    if host.state != HostState.READY:
        return Finding(subject=f"{subject} prepared", ok=False, text=f"not prepared yet; {mend}")
    current = host.facts.get("tools") == archive_digest()
    return Finding(subject=f"{subject} tools", ok=current, text="current" if current else f"not those of this version; {mend}")


def _rooms(look: Look, subject: str) -> Iterator[Finding]:
    for directory, disk in look.facts.get("disks", {}).items():
        free, needed = disk["free_bytes"] // 1024**2, LEAST_FREE_BYTES // 1024**2
        has_room = disk["free_bytes"] >= LEAST_FREE_BYTES
        text = "has room" if has_room else f"{free} MB free and {needed} MB are needed; make room there"
        yield Finding(subject=f"{subject} {directory}", ok=has_room, text=text)


def _instances(appliance: Appliance, lost: Container[str]) -> Iterator[Finding]:
    for instance in appliance.store.instances.list():
        if instance.host in lost:
            yield Finding(subject=instance.name, ok=False, text=f"cannot be asked; see what is said of host {instance.host}")
            continue
        if instance.deployment is None:
            yield Finding(subject=instance.name, ok=False, text=f"does not serve ({instance.state.value}); see: appliance operation list")
            continue
        machine = machine_of(appliance, instance.host, channel="doctor")
        problem = database_answers(machine.reach, database_spec(machine.layout, instance, instance.deployment))()
        yield Finding(subject=f"{instance.name} database", ok=problem is None, text=problem or "answers")
        for result in ask_probes(machine, probes_of(appliance, instance, instance.deployment, door=Door.PROXY).values()):
            yield Finding(subject=f"{instance.name} {result['name']}", ok=bool(result["healthy"]), text=str(result["detail"]))
