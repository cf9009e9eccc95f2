"""Patch a host's Debian packages: its CRMs are backed up and healthy before, healthy after, or the packages from before come back."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance.domain.host import HostState, host_of_subject
from appliance.domain.instance import Instance, InstanceState
from appliance.domain.pending import Pending, PendingPackage
from appliance.errors import HostUnreachable, InvalidRequest, PreflightFailed
from appliance.hosts.reach import ask, boot_of
from appliance.operations.machines import require_reachable
from appliance.operations.noticed import noticed
from appliance.operations.parameters import Parameters, read
from appliance.operations.pending import pending_of_host
from appliance.operations.preflight import Check, disk_has_room, is_healthy, require
from appliance.operations.run import Run
from appliance.operations.steps.health import await_health, probes_of
from appliance.operations.steps.snapshots import back_up
from appliance.operations.variables import host_variables
from appliance.operations.workflow import Done, StepDefinition, Workflow
from appliance.products.probing import Door
from appliance.wiring import Appliance

OLDEST_LISTS_SECONDS = 900
PACKAGES_BYTES = 1024**3
"""Room for what is downloaded, unpacked and kept as the way back."""
KEPT = Path("/var/lib/crm-host/packages")
"""Where the packages from before lie on the host, a directory for each operation."""


class What(StrEnum):
    """Which updates are installed."""

    SECURITY = "security"
    """Those from Debian's security archive."""
    ALL = "all"
    """Every update that apt has."""


class HostPatchParameters(Parameters):
    """`reboot` allows the host to be started anew, which happens only when an update asks for it."""

    what: What = What.SECURITY
    reboot: bool = False


def accept(appliance: Appliance, subject: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, PreflightFailed."""
    name = host_of_subject(subject)
    if name is None:
        raise InvalidRequest(f"{subject!r} is not a host. Nothing was changed.", field="host")
    require_reachable(appliance, name)
    host = appliance.store.hosts.get(name)
    if host.is_local:
        raise InvalidRequest("This machine's updates are left to its administrator. Nothing was changed.", field="host")
    if host.state != HostState.READY:
        raise PreflightFailed((f"{name} is not prepared yet; run: appliance host prepare {name}",))
    return read(HostPatchParameters, parameters).model_dump(mode="json")


def check(run: Run) -> str:
    """Look what there is to do; refuse before anything is changed when a CRM is not well already."""
    found = pending_of_host(run.machine.reach, run.operation.instance, now=run.now(), oldest_lists_seconds=OLDEST_LISTS_SECONDS)
    run.appliance.store.pending.put(found)
    if found.problems:
        raise PreflightFailed(tuple(f"{problem}; it is not known what is pending" for problem in found.problems))
    packages = _chosen(run, found)
    if not (packages or found.restarts or (found.reboot_required and run.operation.parameters["reboot"])):
        return Done(f"nothing to do: {_left(run, found)}")
    checked = require([disk_has_room(run.machine.reach, Path("/var"), PACKAGES_BYTES), *_health_checks(run)])
    run.remember(packages=[asdict(package) for package in packages], boot=boot_of(run.machine.reach))
    security = sum(package.security for package in packages)
    return f"{len(packages)} packages to update, {security} of them for security; {checked}"


def back_up_all(run: Run) -> str:
    """A recovery point of every CRM on the host."""
    return "; ".join(back_up(run, instance, key=f"point of {instance.name}") for instance in _instances(run)) or "no CRM is on it"


def install(run: Run) -> str:
    """Keep the packages from before, install the new ones, and let needrestart restart what uses the old ones."""
    run.remember(away_from=run.memory.get("away_from") or run.now().isoformat())
    recap = run.playbook("host_patch", _told(run, "install"))
    return "nothing was changed" if recap.changed == 0 else f"{len(_packages(run))} packages are up to date"


def put_back(run: Run) -> None:
    """Install the packages from before again, and see that every CRM is healthy with them."""
    run.playbook("host_patch", _told(run, "put_back"))
    _await_all(run)


def start_anew(run: Run) -> str:
    """Reboot the host if an update asks for it and it is allowed; the operation goes on when it has booted, on this machine too."""
    if boot_of(run.machine.reach) != run.memory["boot"]:
        return f"{run.machine.host.name} was started anew"
    found = pending_of_host(run.machine.reach, run.operation.instance, now=run.now())
    if not found.reboot_required:
        return "no reboot is needed"
    if not run.operation.parameters["reboot"]:
        return "a reboot is needed and was not allowed; start it anew when it suits"
    run.log(f"starting {run.machine.host.name} anew")
    ask(run.machine.reach, ["systemctl", "reboot"])
    raise HostUnreachable(f"The host {run.machine.host.name} is being started anew.")


def verify(run: Run) -> str:
    """Every CRM on the host is healthy again."""
    return _await_all(run)


def report(run: Run) -> str:
    """What changed from which version to which, and what is left."""
    found = pending_of_host(run.machine.reach, run.operation.instance, now=run.now())
    run.appliance.store.pending.put(found)
    for package in _packages(run):
        run.log(f"{package.name}: {package.installed} to {package.candidate}")
    names = ", ".join(f"{package.name} {package.candidate}" for package in _packages(run))
    since = run.now() - datetime.fromisoformat(run.memory["away_from"])
    downtime = [noticed(run.appliance, instance.name, since) for instance in _instances(run)]
    return "; ".join([f"updated: {names or 'nothing'}", *downtime, _left(run, found)])


def _chosen(run: Run, found: Pending) -> tuple[PendingPackage, ...]:
    return found.packages if run.operation.parameters["what"] == What.ALL else found.security_packages


def _left(run: Run, found: Pending) -> str:
    others = len(found.packages) - len(_chosen(run, found))
    told = [
        "no security update is pending" if run.operation.parameters["what"] == What.SECURITY else "no update is pending",
        f"{others} other updates are" if others else "",
        "a reboot is required and not allowed" if found.reboot_required else "",
    ]
    return "; ".join(part for part in told if part)


def _packages(run: Run) -> tuple[PendingPackage, ...]:
    return tuple(PendingPackage(**package) for package in run.memory["packages"])


def _told(run: Run, what: str) -> dict[str, Any]:
    packages = [{"name": one.name, "from": one.installed, "to": one.candidate} for one in _packages(run)]
    patch = {"packages": packages, "kept": str(KEPT / str(run.operation.id)), "action": what}
    return {"host": host_variables(run.machine.layout), "patch": patch}


def _instances(run: Run) -> list[Instance]:
    there = run.appliance.store.instances.list()
    return [one for one in there if one.host == run.machine.host.name and one.state is InstanceState.ACTIVE and one.deployment is not None]


def _probes(run: Run, instance: Instance) -> dict[str, dict[str, Any]]:
    assert instance.deployment is not None  # noqa: S101 - only those that serve come here
    return probes_of(run.appliance, instance, instance.deployment, door=Door.PROXY)


def _health_checks(run: Run) -> list[Check]:
    def named(instance: Instance) -> Check:
        check = is_healthy(run.machine, _probes(run, instance))
        return lambda: f"{instance.name}: {problem}" if (problem := check()) else None

    return [named(instance) for instance in _instances(run)]


def _await_all(run: Run) -> str:
    patience = run.appliance.settings.host_patience_seconds
    seen = [f"{one.name} {await_health(run.machine, _probes(run, one), patience_seconds=patience)}" for one in _instances(run)]
    return "; ".join(seen) or "no CRM is on it"


INSTALL = StepDefinition(
    name="install", title="Install the updates and restart what uses them", run=install, undo=put_back, cancellable=False
)
HOST_PATCH = Workflow(
    kind="host-patch",
    accept=accept,
    steps=(
        StepDefinition(name="preflight", title="Look what is pending, and that every CRM is well", run=check),
        StepDefinition(name="backup", title="Take a recovery point of every CRM", run=back_up_all),
        INSTALL,
        StepDefinition(name="reboot", title="Start the host anew if it has to be", run=start_anew, cancellable=False),
        StepDefinition(name="verify", title="See that every CRM is well", run=verify, cancellable=False),
        StepDefinition(name="report", title="Say what changed", run=report, cancellable=False),
    ),
)
