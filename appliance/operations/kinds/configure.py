"""Configure: change settings of a CRM that serves. They are proven on a private port first, so what does not work is never seen."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.product_settings import as_text
from appliance.errors import Conflict, InvalidRequest, PreflightFailed
from appliance.operations.kinds.backup import require_open, serving
from appliance.operations.kinds.patch import closed_for
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import database_answers, is_healthy, port_is_free, require
from appliance.operations.run import Run
from appliance.operations.steps.configuring import (
    CLEAR,
    DEPLOYMENT_CONFIGURED,
    MAINTENANCE_BRIEFLY,
    OPEN_CONFIGURED,
    START_SETTINGS,
    SWITCH_SETTINGS,
    VERIFY_SETTINGS,
    WAY_BACK,
    decide_on_settings,
)
from appliance.operations.steps.health import probes_of
from appliance.operations.steps.subject import new
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.products.probing import Door
from appliance.wiring import Appliance


class ConfigureParameters(Parameters):
    """The `settings` to change; those that are not named stay as they are."""

    settings: dict[str, Any] = Field(min_length=1)


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Give what would change back. Raises InvalidRequest, NotFound, PreflightFailed for a closed one, Conflict for nothing to change."""
    current = serving(appliance, instance)
    if current.state is not InstanceState.ACTIVE:
        raise Conflict(f"{instance} is not in service ({current.state.value}). Nothing was changed.")
    require_open(current)
    wanted = read(ConfigureParameters, parameters)
    definition = appliance.catalogue.get(current.product).definition
    definition.release(current.release)
    return {"settings": definition.changed_settings(current.settings, wanted.settings)}


def check(run: Run) -> str:
    """Refuse before anything is changed."""
    instance = serving(run.appliance, run.operation.instance)
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    changed = _still_wanted(run, instance)
    decide_on_settings(run, instance, changed)
    reach = run.machine.reach
    checked = require(
        [
            database_answers(reach, database_spec(run.machine.layout, instance, instance.deployment)),
            port_is_free(reach, "127.0.0.1", new(run).port, mend="end what listens there"),
            is_healthy(run.machine, probes_of(run.appliance, instance, instance.deployment, door=Door.PROXY)),
        ]
    )
    return f"{checked}; {told_changes(run.memory['settings_before'], changed)}"


def _still_wanted(run: Run, instance: Instance) -> dict[str, Any]:
    """What was asked for, by the definition as it is now: an approval may have taken a while. Raises PreflightFailed."""
    definition = run.appliance.catalogue.get(instance.product).definition
    try:
        return dict(definition.changed_settings(instance.settings, run.operation.parameters["settings"]))
    except (InvalidRequest, Conflict) as refused:
        raise PreflightFailed((str(refused),)) from None


def told_changes(before: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """From what to what."""
    return ", ".join(f"{name}: {as_text(before.get(name)) or 'nothing'} to {as_text(value)}" for name, value in changed.items())


def report(run: Run) -> str:
    """What is in force now, and how long visitors saw the maintenance page."""
    closed = closed_for(run.appliance.store.operations.get(run.operation.id))
    told = told_changes(run.memory["settings_before"], run.operation.parameters["settings"])
    return f"{told}; visitors saw the maintenance page for {closed.total_seconds():.1f} s" if closed else told


CONFIGURE = Workflow(
    kind="configure",
    accept=accept,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is changed", run=check),
        DEPLOYMENT_CONFIGURED,
        START_SETTINGS,
        VERIFY_SETTINGS,
        WAY_BACK,
        MAINTENANCE_BRIEFLY,
        SWITCH_SETTINGS,
        OPEN_CONFIGURED,
        CLEAR,
        StepDefinition(name="report", title="Say what changed", run=report, cancellable=False),
    ),
)
