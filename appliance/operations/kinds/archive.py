"""Archive: receive the log of what serves all the time, and save the database's files, so that any moment can be gone back to."""

from collections.abc import Mapping
from typing import Any

from appliance.domain.operation import OperationStatus
from appliance.operations.kinds.backup import backup_checks, serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import require
from appliance.operations.run import Run
from appliance.operations.steps.archiving import begin_archive, end_archive, save_base
from appliance.operations.steps.elsewhere import ELSEWHERE
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class ArchiveParameters(Parameters):
    """`wanted` says whether the log is received; `afresh` begins a new one, where the one that there is has a gap."""

    wanted: bool = True
    afresh: bool = False


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    return read(ArchiveParameters, parameters).model_dump()


def check(run: Run) -> str:
    """Refuse before anything is written."""
    return require(backup_checks(run, serving(run.appliance, run.operation.instance)))


def receive(run: Run) -> str:
    """Begin, or end."""
    if run.operation.parameters["wanted"]:
        return begin_archive(run)
    instance = serving(run.appliance, run.operation.instance)
    if instance.archive is None:
        return "no log was received"
    end_archive(run, instance, instance.archive)
    return "the log is received no longer; what is in the repository stays"


def save(run: Run) -> str:
    """A base for it, unless it was ended."""
    return save_base(run) if run.operation.parameters["wanted"] else "not wanted"


ARCHIVE = Workflow(
    kind="archive",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is written", run=check),
        StepDefinition(name="receive", title="Receive the database's log", run=receive),
        StepDefinition(name="base", title="Save the database's files", run=save),
        ELSEWHERE,
    ),
)
