"""Rehearse: an upgrade on a copy, from restoring the newest recovery point to counting every record; production goes on, untouched."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.operation import OperationStatus
from appliance.operations.kinds import upgrade
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import COPIES, require
from appliance.operations.run import Run
from appliance.operations.steps.copying import newest_of_what_serves
from appliance.operations.steps.rehearsing import REHEARSAL
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class RehearseParameters(Parameters):
    """`to` is the release to go to, as of an upgrade."""

    to: str


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound (also where no recovery point is of the release that serves), Conflict, PreflightFailed."""
    wanted = read(RehearseParameters, parameters)
    upgrade.accept(appliance, instance, wanted.model_dump())
    newest_of_what_serves(appliance, instance)
    return wanted.model_dump()


def check(run: Run) -> str:
    """Refuse before anything is changed."""
    return require(upgrade.upgrade_checks(run, serving(run.appliance, run.operation.instance), copies=COPIES))


REHEARSE = Workflow(
    kind="rehearse",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(StepDefinition(name="preflight", title="Check before anything is changed", run=check), *REHEARSAL),
)
