"""Maintenance: take a CRM out of service for its users, with a message, or let them in again. The CRM itself goes on behind the page."""

from collections.abc import Collection, Mapping
from typing import Any

from appliance.domain.closure import Closure, page_of, read_message
from appliance.domain.instance import Instance
from appliance.domain.operation import OperationStatus
from appliance.errors import Conflict, ProbeFailed, StepFailed
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.health import OPEN_PROBES, await_health, probes_of
from appliance.operations.steps.takeover import OPEN_PATIENCE_SECONDS
from appliance.operations.telling import publish_targets
from appliance.operations.variables import variables
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.products.probing import Door
from appliance.wiring import Appliance

HEALTH_PATIENCE_SECONDS = 20


class MaintenanceParameters(Parameters):
    """Whether it is `wanted` that visitors are turned away, and what they are told."""

    wanted: bool = True
    message: str = ""


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict for an instance that does not serve, or is open already."""
    found = serving(appliance, instance)
    wanted = read(MaintenanceParameters, parameters)
    if not wanted.wanted and found.closed is None:
        raise Conflict(f"{instance} is open to its users. Nothing was changed.")
    return {"wanted": wanted.wanted, "message": read_message(wanted.message) if wanted.wanted else ""}


def turn(run: Run) -> str:
    """Put the page up, or take it away if the CRM behind it is well. Raises StepFailed."""
    instance, wanted = serving(run.appliance, run.operation.instance), run.operation.parameters
    if "before" not in run.memory:
        run.remember(before=instance.closed.message if instance.closed else None)
    if wanted["wanted"]:
        _set_page(run, wanted["message"])
        return "visitors get the maintenance page"
    _require_well(run, instance, Door.PRIVATE, patience_seconds=HEALTH_PATIENCE_SECONDS)
    _set_page(run, None)
    return _require_well(run, instance, Door.PROXY, OPEN_PROBES, patience_seconds=OPEN_PATIENCE_SECONDS)


def turn_back(run: Run) -> None:
    """Have visitors get what they got before."""
    _set_page(run, run.memory["before"])


def note(run: Run) -> str:
    """Write down that it is closed, and by whom, or that it is open."""
    wanted, instances = run.operation.parameters, run.appliance.store.instances
    closure = Closure(message=wanted["message"], by=run.operation.requested_by, at=run.now()) if wanted["wanted"] else None
    instances.close(run.operation.instance, closure)
    publish_targets(run.appliance)
    return f"closed: {closure.message}" if closure else "open to its users"


def _set_page(run: Run, message: str | None) -> None:
    """Without a message there is no page."""
    instance = serving(run.appliance, run.operation.instance)
    assert instance.deployment is not None  # noqa: S101 - it serves
    state = "off" if message is None else "on"
    told = variables(run.appliance, instance, deployment=instance.deployment, maintenance_state=state, maintenance=page_of(message or ""))
    run.playbook("maintenance", told)


def _require_well(run: Run, instance: Instance, door: Door, names: Collection[str] | None = None, *, patience_seconds: float) -> str:
    assert instance.deployment is not None  # noqa: S101 - it serves
    try:
        asked = probes_of(run.appliance, instance, instance.deployment, door=door, names=names)
        return await_health(run.machine, asked, patience_seconds=patience_seconds)
    except ProbeFailed as error:
        raise StepFailed(f"The maintenance page stays, since the CRM behind it is not well. {error}") from None


MAINTENANCE = Workflow(
    kind="maintenance",
    accept=accept,
    undone=OperationStatus.ROLLED_BACK,
    steps=(
        StepDefinition(name="page", title="Put the maintenance page up, or take it away", run=turn, undo=turn_back, cancellable=False),
        StepDefinition(name="note", title="Write it down", run=note, cancellable=False),
    ),
)
