"""Check: the repository of an instance's host, and those elsewhere, are whole and hold what they should; live files are as they were saved.

Each night another seventh of their data is read, and another sample of the files.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.errors import StepFailed
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.comparing import COMPARE, LARGEST_SAMPLE
from appliance.operations.steps.repositories import lent, own_repository
from appliance.operations.steps.shrinking import gone_from, shrunk
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

PARTS = 7


class CheckParameters(Parameters):
    """How much of the data is read, beside the structure: none of it, the seventh whose turn it is, or all.

    So many files are compared (none, if 0), of which a share may be missing or differ, though nobody wrote them since. Recovery points
    that have gone from a repository fail it, unless their loss is accepted: then they are forgotten.
    """

    data: Literal["none", "part", "all"] = "part"
    sample: Annotated[int, Field(ge=0, le=LARGEST_SAMPLE)] = 200
    tolerated_percent: Annotated[int, Field(ge=0, le=100)] = 5
    accept_loss: bool = False


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    return read(CheckParameters, parameters).model_dump()


def part_of(day: date) -> str:
    """The part whose turn it is on a day, as restic is told; in seven days in a row each has its turn.

    >>> part_of(date(2026, 11, 22))
    '7/7'
    """
    return f"{day.toordinal() % PARTS or PARTS}/{PARTS}"


def check(run: Run) -> str:
    """Look at the structure of each repository, and read its data."""
    data = run.operation.parameters["data"]
    wanted: dict[str, Any] = {"read_data": data == "all"}
    if data == "part":
        wanted["read_data_subset"] = part_of(run.now().date())
    names = [own_repository(run), *(repository.name for repository in run.appliance.store.repositories.list())]
    for name in names:
        run.log(f"repository {name}")
        with lent(run, name) as repository:
            found = run.backup("check", {"repository": repository, **wanted})
            see_whole(run, name, gone_from(run, name, repository))
    return f"{', '.join(names)}: whole; data read: {found['data_read']}"


def see_whole(run: Run, name: str, gone: Sequence[RecoveryPoint]) -> None:
    """Raises StepFailed where recovery points have gone, unless that is accepted. Gone copies are made again by the next backup."""
    if not gone:
        return
    if not run.operation.parameters["accept_loss"]:
        raise StepFailed(f"{shrunk(name, gone)} Nothing was changed.")
    nowhere = [point.id for point in gone if point.repository == name]
    run.appliance.store.points.forget(nowhere)
    run.log(f"{len(nowhere)} recovery points that are gone from {name} are forgotten.")


CHECK = Workflow(
    kind="check",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(StepDefinition(name="check", title="Check the repository", run=check), COMPARE),
)
