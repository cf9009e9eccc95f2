"""Patch: go to the newest release of the series by the steps of an upgrade; nothing new is said in seconds and changes nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appliance.domain.operation import Operation, StepStatus
from appliance.domain.pending import Way
from appliance.domain.versions import newest
from appliance.operations.kinds.backup import require_open, serving
from appliance.operations.kinds.upgrade import UPGRADE
from appliance.operations.parameters import Parameters, read
from appliance.operations.pending import is_rebuilt
from appliance.operations.run import Run
from appliance.operations.workflow import Done, StepDefinition, Workflow
from appliance.wiring import Appliance

CLOSED_FROM, CLOSED_UNTIL = "maintenance", "switch"


class PatchParameters(Parameters):
    """`to` is decided when it is requested: the newest release of the series that the definition has."""

    to: str | None = None


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict. What was decided before is decided anew, should it be tried again."""
    read(PatchParameters, parameters)
    current = serving(appliance, instance)
    require_open(current)
    definition = appliance.catalogue.get(current.product).definition
    return {"to": newest(definition, definition.release(current.release).series).version}


def look(run: Run) -> str:
    """Say what will be done, or that there is nothing."""
    instance = serving(run.appliance, run.operation.instance)
    to = run.operation.parameters["to"]
    if to != instance.release:
        return f"{instance.release} to {to}"
    if is_rebuilt(run.appliance, instance):
        return f"{to} with the packages of its new lock"
    asked = run.appliance.store.pending.find(instance.name)
    known = [release.version for release in asked.releases if release.way is Way.PATCH and not release.installable] if asked else []
    more = f"; published, but not in the product's definition yet: {', '.join(known)}" if known else ""
    return Done(f"nothing to do: {instance.release} is the newest release of series {instance.series}{more}")


def report(run: Run) -> str:
    """What changed, and how long visitors saw the maintenance page."""
    operation = run.appliance.store.operations.get(run.operation.id)
    closed = closed_for(operation)
    before = run.memory["old"]["version"]
    run.remember(facts={"downtime_seconds": closed.total_seconds()} if closed else {})
    anew = ", with the packages of its new lock" if before == operation.parameters["to"] else ""
    told = f"; visitors saw the maintenance page for {closed.total_seconds():.1f} s" if closed else ""
    return f"{before} to {operation.parameters['to']}{anew}{told}"


def closed_for(operation: Operation) -> timedelta | None:
    """From the beginning of the maintenance to the end of the switch, None when they did not both happen."""
    steps = {step.name: step for step in operation.steps if step.status is StepStatus.SUCCEEDED}
    if CLOSED_FROM not in steps or CLOSED_UNTIL not in steps:
        return None
    began, ended = steps[CLOSED_FROM].started_at, steps[CLOSED_UNTIL].finished_at
    return ended - began if began and ended else None


PATCH = Workflow(
    kind="patch",
    accept=accept,
    steps=(
        StepDefinition(name="look", title="Look for a newer release of the series", run=look),
        *UPGRADE.steps,
        StepDefinition(name="report", title="Say what changed", run=report, cancellable=False),
    ),
)
