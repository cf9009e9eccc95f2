"""Patch the fleet: canaries first, then one after the other, each by an operation of its own; it stops when too many fail."""

import time
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from appliance.domain.host import FLEET, HostState, host_of_subject, patch_kind
from appliance.domain.operation import Operation, OperationStatus
from appliance.errors import ApplianceError, Cancelled, Conflict, InvalidRequest, PreflightFailed, StepFailed
from appliance.operations.kinds.host_patch import HOST_PATCH, HostPatchParameters
from appliance.operations.kinds.patch import PATCH
from appliance.operations.parameters import read
from appliance.operations.recording import record
from appliance.operations.run import Run
from appliance.operations.workflow import Done, StepDefinition, Workflow
from appliance.wiring import Appliance

LEAST_PARALLEL = 2
"""This operation waits for others, which have to run beside it."""
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 3600.0
"""How long one of the fleet that is busy with something else is waited for."""
REMEMBERED_RUNS = 20


class FleetPatchParameters(HostPatchParameters):
    """`what` and `reboot` are for hosts. Canaries are instances or "host:NAME"; after `stop_after` that did not succeed it stops."""

    canaries: tuple[str, ...] = ()
    stop_after: Annotated[int, Field(ge=1, le=20)] = 1


def accept(appliance: Appliance, subject: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, PreflightFailed for a fleet of none and for a worker that carries one operation at a time."""
    if subject != FLEET:
        raise InvalidRequest(f"The subject of a fleet patch is {FLEET!r}. Nothing was changed.", field="instance")
    wanted, there = read(FleetPatchParameters, parameters), fleet(appliance)
    if strangers := [name for name in wanted.canaries if name not in there]:
        known = ", ".join(there) or "nobody"
        raise InvalidRequest(f"{strangers[0][:60]!r} does not belong to the fleet ({known}). Nothing was changed.", field="canaries")
    if not there:
        raise PreflightFailed(("the fleet is empty: there is no CRM that serves and no prepared host",))
    if appliance.settings.parallel_operations < LEAST_PARALLEL:
        raise PreflightFailed((f"the worker carries one operation at a time; set parallel_operations to {LEAST_PARALLEL} or more",))
    return wanted.model_dump(mode="json")


def fleet(appliance: Appliance) -> list[str]:
    """Who belongs to it: each prepared host by its name, followed by the instances on it that serve."""
    serving = [one for one in appliance.store.instances.glances() if one.is_serving]
    members = []
    for host in appliance.store.hosts.list():
        if not host.is_local and host.state is HostState.READY:
            members.append(host.subject)
        members += [one.name for one in serving if one.host == host.name]
    return members


def look(run: Run) -> str:
    """Write down who belongs to it; whoever comes later waits for the next time."""
    canaries, there = run.operation.parameters["canaries"], fleet(run.appliance)
    run.remember(canaries=canaries, others=[name for name in there if name not in canaries])
    return ", ".join(there)


def patch_canaries(run: Run) -> str:
    """None of the others is touched unless all of them succeed."""
    if not run.memory["canaries"]:
        return "there are none"
    told = _patch_each(run, run.memory["canaries"], stop_after=1)
    waiting = [name for name in run.memory["canaries"] if (one := _own(run, name)) and one.awaits_approval]
    if waiting:
        raise StepFailed(f"{', '.join(waiting)} waits until somebody agrees; patch the fleet again when that is done")
    return told


def patch_others(run: Run) -> str:
    """One after the other; those that had nothing to do took seconds."""
    told = _patch_each(run, run.memory["others"], stop_after=run.operation.parameters["stop_after"])
    ended = [_own(run, name) for name in (*run.memory["canaries"], *run.memory["others"])]
    return Done(f"nothing to do: {told}") if all(one and one.found_nothing for one in ended) else told


def report(run: Run) -> str:
    """What each of them came to."""
    return "; ".join(_outcome(run, name) for name in (*run.memory["canaries"], *run.memory["others"]))


def _patch_each(run: Run, subjects: Iterable[str], *, stop_after: int) -> str:
    """Raises StepFailed at once when so many did not succeed, and at the end when any did not; Cancelled between two of them."""
    subjects, failed = list(subjects), []
    for number, subject in enumerate(subjects):
        run.progress(100 * number / len(subjects))
        _stop_if_asked(run, f"not patched any more: {', '.join(subjects[number:])}")
        if (problem := _patch(run, subject)) is not None:
            run.log(problem)
            failed.append(problem)
        if len(failed) >= stop_after and (left := subjects[number + 1 :]):
            raise StepFailed(f"{'; '.join(failed)}. Not patched any more: {', '.join(left)}")
    if failed:
        raise StepFailed("; ".join(failed))
    return "; ".join(_outcome(run, subject) for subject in subjects) or "there is nobody else"


def _patch(run: Run, subject: str) -> str | None:
    """Have it patched and wait for the end; says what is wrong unless it succeeded. Called again, it goes on with what was requested."""
    try:
        operation = _own(run, subject) or _request(run, subject)
    except Cancelled:
        raise
    except ApplianceError as refused:
        return f"{subject}: {refused}"
    while not (operation.status.is_final or operation.status is OperationStatus.NEEDS_ATTENTION or operation.awaits_approval):
        _stop_if_asked(run, f"operation {operation.id} of {subject} goes on by itself")
        time.sleep(PAUSE_SECONDS)
        operation = run.appliance.store.operations.get(operation.id)
    return None if operation.status is OperationStatus.SUCCEEDED or operation.awaits_approval else _outcome(run, subject)


def _request(run: Run, subject: str) -> Operation:
    """Raises what requesting raises; one that is busy with something else is waited for."""
    workflow = HOST_PATCH if host_of_subject(subject) else PATCH
    deadline, told = time.monotonic() + PATIENCE_SECONDS, ""
    while True:
        try:
            operation = record(run.appliance, workflow, subject, _parameters(run, subject), requested_by=_requester(run), now=run.now())
        except Conflict as busy:
            if time.monotonic() > deadline:
                raise
            if str(busy) != told:
                run.log(told := str(busy))
        else:
            run.log(f"{subject}: operation {operation.id}")
            return operation
        _stop_if_asked(run, f"{subject} was not patched")
        time.sleep(PAUSE_SECONDS)


def _stop_if_asked(run: Run, told: str) -> None:
    if run.is_cancelled():
        raise Cancelled(f"Somebody asked to stop; {told}.")


def _parameters(run: Run, subject: str) -> dict[str, Any]:
    of_hosts = HostPatchParameters.model_fields
    return {name: run.operation.parameters[name] for name in of_hosts} if host_of_subject(subject) else {}


def _requester(run: Run) -> str:
    return f"operation {run.operation.id}"


def _own(run: Run, subject: str) -> Operation | None:
    """The operation that this one has requested of a subject."""
    runs = run.appliance.store.operations.list(instance=subject, kind=patch_kind(subject), limit=REMEMBERED_RUNS)
    return next((one for one in runs if one.requested_by == _requester(run)), None)


def _outcome(run: Run, subject: str) -> str:
    operation = _own(run, subject)
    if operation is None:
        return f"{subject}: not patched"
    ended = operation.status.value.replace("_", " ")
    if operation.found_nothing:
        ended = "nothing to do"
    elif operation.awaits_approval:
        ended = "waits for approval"
    return f"{subject}: {ended} (operation {operation.id}{f': {operation.cause}' if operation.cause else ''})"


FLEET_PATCH = Workflow(
    kind="fleet-patch",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="look", title="Look who belongs to the fleet", run=look),
        StepDefinition(name="canaries", title="Patch the canaries", run=patch_canaries),
        StepDefinition(name="others", title="Patch the others, one after the other", run=patch_others),
        StepDefinition(name="report", title="Say what each came to", run=report),
    ),
)
