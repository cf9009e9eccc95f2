"""Check: the repository of an instance's host, and those elsewhere, are whole; each night another seventh of their data is read."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from appliance.domain.operation import OperationStatus
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.repositories import lent, own_repository
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

PARTS = 7


class CheckParameters(Parameters):
    """How much of the data is read, beside the structure: none of it, the seventh whose turn it is, or all."""

    data: Literal["none", "part", "all"] = "part"


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
    return f"{', '.join(names)}: whole; data read: {found['data_read']}"


CHECK = Workflow(
    kind="check",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(StepDefinition(name="check", title="Check the repository", run=check),),
)
