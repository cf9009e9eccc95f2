"""Rollback: go back, code and data, to the deployment that the last upgrade or restore kept; what is left behind is kept in its turn."""

from collections.abc import Mapping
from typing import Any

from appliance.errors import Conflict
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.deploying import START, VERIFY
from appliance.operations.steps.settling import left_behind
from appliance.operations.steps.snapshots import SAFETY_BACKUP
from appliance.operations.steps.subject import new, old
from appliance.operations.steps.takeover import MAINTENANCE, OPEN, SWITCH
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class RollbackParameters(Parameters):
    """Nothing to choose: there is one way back."""


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict when no former deployment is kept."""
    if serving(appliance, instance).previous is None:
        raise Conflict(f"{instance} keeps no former deployment to go back to. Nothing was changed; a restore can bring back older data.")
    return read(RollbackParameters, parameters).model_dump()


def decide(run: Run) -> str:
    """Write down where from and where to."""
    instance = serving(run.appliance, run.operation.instance)
    if not run.memory.get("new"):
        assert instance.deployment is not None and instance.previous is not None  # noqa: S101, PT018 - accepted only with both
        run.remember(new=instance.previous.as_variables(), old=instance.deployment.as_variables(), older=None)
    behind = left_behind(run, served=old(run), to=new(run))
    return f"from {old(run).version} back to {new(run).version}, code and data; {behind}"


ROLLBACK = Workflow(
    kind="rollback",
    accept=accept,
    steps=(
        StepDefinition(name="preflight", title="Find the way back", run=decide),
        SAFETY_BACKUP,
        MAINTENANCE,
        START,
        VERIFY,
        SWITCH,
        OPEN,
    ),
)
