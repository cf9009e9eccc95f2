"""Prepare a host: bring it to what instances need, and write down what was seen of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from appliance.domain.host import HostPolicy, HostState, host_of_subject
from appliance.domain.operation import OperationStatus
from appliance.errors import InvalidRequest, PreflightFailed
from appliance.hosts.layout import TOOLS
from appliance.hosts.reach import Reach, ask_script
from appliance.hosts.tools import write_archive
from appliance.operations.host_checks import WEB_PORTS, host_checks
from appliance.operations.machines import require_reachable
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import require
from appliance.operations.run import Run
from appliance.operations.variables import host_variables
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class PrepareParameters(Parameters):
    """What is to be different about the host's policy from now on; what is not said stays as it was."""

    firewall: bool | None = None
    time_sync: bool | None = None
    security_updates: bool | None = None


def accept(appliance: Appliance, subject: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The whole policy, as it is to be. Raises InvalidRequest, NotFound, PreflightFailed."""
    name = host_of_subject(subject)
    if name is None:
        raise InvalidRequest(f"{subject!r} is not a host. Nothing was changed.", field="host")
    require_reachable(appliance, name)
    host, said = appliance.store.hosts.get(name), read(PrepareParameters, parameters).model_dump(exclude_none=True)
    if host.is_local:
        if said:
            raise InvalidRequest("This machine's clock, updates and firewall are left to its administrator. Nothing was changed.")
        return {}
    return {**asdict(host.policy), **said}


def see_host(reach: Reach, *ports: str) -> dict[str, Any]:
    """The facts of a host (see `hosts.scripts.see_host`), with who listens on these ports, or on those of visitors.

    Raises PreflightFailed without Python there, HostUnreachable and HostRefused.
    """
    done = ask_script(reach, "see_host", *(ports or WEB_PORTS))
    try:
        facts: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise PreflightFailed((f"{reach.name} cannot be looked at ({said}); install python3 there",)) from None
    return facts


def check(run: Run) -> str:
    """Refuse before anything is changed. A machine of its own kind (a container, say) may do for this one, which `bin/up` looks after."""
    facts = see_host(run.machine.reach)
    run.appliance.store.hosts.see(run.machine.host.name, facts, now=run.now())
    if run.machine.host.is_local:
        return str(facts["system"])
    return f"{facts['system']}; {require(host_checks(run.machine.host.name, facts, now=run.now()))}"


def install_packages(run: Run) -> str:
    """The Debian packages that every instance needs."""
    recap = run.playbook("host_prepare", {"host": host_variables(run.machine.layout)})
    return "nothing was missing" if recap.changed == 0 else f"{recap.changed} things were changed"


def send_tools(run: Run) -> str:
    """The appliance's own programs, in an environment of theirs; this machine has them already."""
    if run.machine.host.is_local:
        return "not needed here"
    layout, archive = run.machine.layout, run.directory / "packages.zip"
    digest = write_archive(archive)
    tools = {"directory": str(TOOLS), "archive": str(archive), "repository_directory": str(layout.repository_directory)}
    recap = run.playbook("host_tools", {"host": host_variables(layout), "tools": tools})
    run.remember(tools=digest)
    return "nothing was missing" if recap.changed == 0 else f"{recap.changed} things were changed"


def apply_policy(run: Run) -> str:
    """Clock, security updates and firewall of a managed host, written down once they are what is wanted."""
    if run.machine.host.is_local:
        return "left to whoever looks after this machine"
    policy = HostPolicy(**run.operation.parameters)
    recap = run.playbook("host_policy", {"host": host_variables(run.machine.layout), "policy": asdict(policy)})
    run.appliance.store.hosts.set_policy(run.machine.host.name, policy)
    return f"{policy}; {'nothing was missing' if recap.changed == 0 else f'{recap.changed} things were changed'}"


def note(run: Run) -> str:
    """Instances may come from here on."""
    hosts, name = run.appliance.store.hosts, run.machine.host.name
    facts = {**see_host(run.machine.reach), "tools": run.memory.get("tools")}
    hosts.see(name, facts, now=run.now())
    hosts.mark(name, HostState.READY)
    return f"{facts['system']}, {facts['cpus']} processors, {facts['memory_bytes'] // 1024**2} MB of memory"


HOST_PREPARE = Workflow(
    kind="host-prepare",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Look at the host before anything is changed", run=check),
        StepDefinition(name="packages", title="Install what instances need", run=install_packages),
        StepDefinition(name="tools", title="Install the appliance's own tools", run=send_tools),
        StepDefinition(name="policy", title="See to its clock, security updates and firewall", run=apply_policy),
        StepDefinition(name="note", title="Write down what the host is", run=note),
    ),
)
