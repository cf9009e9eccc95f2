"""Monitoring stack: Prometheus, Alertmanager and exporters of Debian on a host, which read the appliance's metrics; or away from it."""

import json
import time
from collections.abc import Mapping
from typing import Any

from appliance.domain.host import Host, HostState, host_of_subject
from appliance.domain.operation import OperationStatus
from appliance.errors import Cancelled, InvalidRequest, PreflightFailed, StepFailed
from appliance.hosts.reach import ask_script
from appliance.operations.kinds.host_prepare import see_host
from appliance.operations.machines import require_reachable
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import Check, require
from appliance.operations.run import Run
from appliance.operations.scraping import metrics_address
from appliance.operations.stack.files import stack_files
from appliance.operations.stack.kept import check_dead_man, dead_man_of, forget_stack, keep_stack, note_stack
from appliance.operations.stack.places import DIRECTORY, PORTS, listens
from appliance.operations.variables import cluster_ports, host_variables
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

OURS = "prometheus"
"""Begins the name of each program of the stack."""
PATIENCE_SECONDS = 90.0
"""Prometheus asks every 15 s, and each target at a moment of its own."""
PAUSE_SECONDS = 2.0


class StackParameters(Parameters):
    """`wanted` says whether the stack is there; `purge` lets what was measured go with it.

    `dead_man` names a heartbeat channel that is told all the time that alerts get through, "" none; what is not said stays.
    """

    wanted: bool = True
    purge: bool = False
    dead_man: str | None = None


def accept(appliance: Appliance, subject: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, PreflightFailed, and ConfigurationError for a setting that cannot be used."""
    name = host_of_subject(subject)
    if name is None:
        raise InvalidRequest(f"{subject!r} is not a host. Nothing was changed.", field="host")
    require_reachable(appliance, name)
    _require_managed(appliance.store.hosts.get(name))
    wanted = read(StackParameters, parameters)
    if not wanted.wanted:
        return wanted.model_dump()
    if wanted.purge:
        raise InvalidRequest("What was measured goes only when the stack is removed. Nothing was changed.", field="purge")
    if metrics_address(appliance) is None:
        mend = "write the address by which it reaches this machine into appliance.toml (metrics_listen) and restart the monitor"
        raise PreflightFailed((f"the metrics are not to be had from {name}; {mend}",))
    dead_man = dead_man_of(appliance, name) if wanted.dead_man is None else wanted.dead_man
    return {**wanted.model_dump(), "dead_man": check_dead_man(appliance, dead_man)}


def _require_managed(host: Host) -> None:
    if host.is_local:
        raise InvalidRequest(
            "The stack is installed on hosts that are managed over SSH; this machine can be one, too: "
            "appliance host add here --address 127.0.0.1. Nothing was changed.",
            field="host",
        )
    if host.state != HostState.READY:
        raise PreflightFailed((f"{host.name} is not prepared yet; run: appliance host prepare {host.name}",))


def check(run: Run) -> str:
    """Refuse before anything is changed: packages that apt does not have, another Prometheus, taken ports, metrics out of reach."""
    if not run.operation.parameters["wanted"]:
        return "nothing stands against it"
    name, facts = run.machine.host.name, see_host(run.machine.reach, *map(str, PORTS.values()))
    address = metrics_address(run.appliance) or ("", 0)
    said = ask_script(run.machine.reach, "see_stack", str(DIRECTORY), address[0], str(address[1]), *PORTS, timeout_seconds=120)
    seen = json.loads(said.stdout)
    packages = [_package(name, one, found, is_ours=seen["ours"]) for one, found in seen["packages"].items()]
    ports = [_port(name, port, program, is_ours=seen["ours"]) for port, program in facts["ports"].items() if int(port) in PORTS.values()]
    return require([*packages, *ports, lambda: _reached(name, address, seen["reaches"])])


def see_to_it(run: Run) -> str:
    """Install, or remove, by the playbook."""
    return _install(run) if run.operation.parameters["wanted"] else _remove(run)


def _remove(run: Run) -> str:
    stack = {"state": "removed", "purge": run.operation.parameters["purge"]}
    recap = run.playbook("monitoring_stack", {"host": host_variables(run.machine.layout), "stack": stack})
    forget_stack(run.appliance, run.machine.host.name)
    return "nothing of it was there" if recap.changed == 0 else "removed"


def _install(run: Run) -> str:
    appliance, host, layout = run.appliance, run.machine.host, run.machine.layout
    address = metrics_address(appliance)
    assert address is not None  # noqa: S101 - looked at before
    keep_stack(appliance, host.name, run.operation.parameters["dead_man"])
    made = stack_files(appliance, host, address, run.now())
    for channel in made.left_out:
        run.log(f"Alertmanager does not know what {channel} is; it is notified by the appliance alone")
    with run.secret_files(made.texts) as files:
        stack = {"state": "installed", "files": files, "database_ports": list(cluster_ports(layout)) if made.databases else []}
        recap = run.playbook("monitoring_stack", {"host": host_variables(layout), "stack": stack})
    note_stack(appliance, host.name, made.digest)
    return "nothing was missing" if recap.changed == 0 else f"{recap.changed} things were changed"


def verify(run: Run) -> str:
    """Prometheus reads everything that it is to read."""
    if not run.operation.parameters["wanted"]:
        return "not needed"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while missing := _missing(run):
        if run.is_cancelled():
            raise Cancelled("Nobody waits for Prometheus any longer; what was installed stays.")
        if time.monotonic() > deadline:
            said = "; ".join(f"{job} ({url}): {why}" for job, url, why in missing)
            raise StepFailed(
                f"Prometheus on {run.machine.host.name} runs and cannot read: {said}. What was installed stays; mend it and run this again."
            )
        time.sleep(PAUSE_SECONDS)
    return "Prometheus reads everything"


def _missing(run: Run) -> list[list[str]]:
    said = ask_script(run.machine.reach, "see_targets", listens("prometheus"))
    try:
        found: list[list[str]] = json.loads(said.stdout)
    except ValueError:
        why = (said.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return [["prometheus", listens("prometheus"), why]]
    return found


def _package(host: str, package: str, found: Mapping[str, str], *, is_ours: bool) -> Check:
    def problem() -> str | None:
        if found["installed"] and not is_ours:
            return f"{package} is installed on {host} already, and not by the appliance; choose another host, or remove it there"
        if not found["installed"] and not found["candidate"]:
            return f"apt on {host} has no package {package}; add Debian's main archive to its sources, then: apt-get update"
        return None

    return problem


def _port(host: str, port: str, program: str, *, is_ours: bool) -> Check:
    def problem() -> str | None:
        if is_ours and program.startswith(OURS):
            return None
        return f"{program} listens on port {port} of {host}, where the stack is to answer; stop and disable it there"

    return problem


def _reached(host: str, address: tuple[str, int], why: str) -> str | None:
    if not why:
        return None
    mend = "see that the monitor runs, and let it through the firewall"
    return f"{host} does not reach the metrics at {address[0]}:{address[1]} ({why}); {mend}"


MONITORING_STACK = Workflow(
    kind="monitoring-stack",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Look at the host before anything is changed", run=check),
        StepDefinition(name="stack", title="Bring Prometheus, Alertmanager and exporters to what is wanted", run=see_to_it),
        StepDefinition(name="verify", title="See that Prometheus reads everything", run=verify),
    ),
)
