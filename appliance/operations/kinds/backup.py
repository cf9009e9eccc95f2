"""Backup: a recovery point of an instance that serves."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.instance import Instance
from appliance.domain.operation import OperationStatus
from appliance.errors import Conflict
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import COPIES, Check, database_answers, database_bytes, disk_has_room, require
from appliance.operations.run import Run
from appliance.operations.steps.snapshots import BACKUP
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class BackupParameters(Parameters):
    """Nothing to choose yet."""


def serving(appliance: Appliance, name: str) -> Instance:
    """The instance, which has a deployment. Raises NotFound, or Conflict when it does not serve yet."""
    instance = appliance.store.instances.get(name)
    if instance.deployment is None:
        raise Conflict(f"{name} does not serve yet ({instance.state.value}). Nothing was changed.")
    return instance


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    return read(BackupParameters, parameters).model_dump()


def backup_checks(run: Run, instance: Instance) -> list[Check]:
    """What a backup needs."""
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    reach, layout = run.machine.reach, run.machine.layout
    database = database_spec(layout, instance, instance.deployment)
    return [
        database_answers(reach, database),
        disk_has_room(reach, layout.repository_directory, COPIES * database_bytes(reach, database)),
    ]


def check(run: Run) -> str:
    """Refuse before anything is written."""
    return require(backup_checks(run, serving(run.appliance, run.operation.instance)))


BACKUP_WORKFLOW = Workflow(
    kind="backup",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(StepDefinition(name="preflight", title="Check before anything is written", run=check), BACKUP),
)
