"""Notice a repository that holds less than it should: recovery points that nobody gave up are gone from it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.operations.run import Run
from appliance.operations.steps.repositories import own_repository

NAMED = 5
"""So many points are named in a message."""


def gone_from(run: Run, repository: str, spec: Mapping[str, Any] | None) -> list[RecoveryPoint]:
    """The recovery points of the operation's instance that should be there and are not; `spec` is None where there is no repository.

    Raises CommandFailed.
    """
    instance = run.operation.instance
    there = {point["id"] for point in run.backup("points", {"repository": spec, "crm": instance})["points"]} if spec else set()
    return [point for point in expected_in(run, repository) if point.id not in there]


def expected_in(run: Run, repository: str) -> list[RecoveryPoint]:
    """Those that were made or recovered there, and those that were copied there by the last backup that succeeded."""
    store, own = run.appliance.store, own_repository(run)
    points = store.points.list(run.operation.instance)
    lying = [point for point in points if point.repository == repository]
    copied_at = None if repository == own else _copied_at(run, repository)
    if copied_at is None:
        return lying
    return lying + [point for point in points if point.repository == own and point.at <= copied_at]


def shrunk(repository: str, gone: Collection[RecoveryPoint]) -> str:
    """What is to be said of them."""
    names = ", ".join(point.id for point in list(gone)[:NAMED]) + (f" and {len(gone) - NAMED} more" if len(gone) > NAMED else "")
    lost = f"{len(gone)} recovery points that nobody gave up are gone from it ({names})"
    mend = "once it is clear why, `appliance check NAME --accept-loss` forgets what is nowhere any more"
    return f"The repository {repository} has shrunk: {lost}. See who has its password and credentials; {mend}."


def _copied_at(run: Run, repository: str) -> datetime | None:
    """When everything of the instance was brought there last; a backup that did not get there has failed."""
    known = run.appliance.store.repositories.get(repository)
    journal, done = run.appliance.store.operations, [OperationStatus.SUCCEEDED]
    last = next(iter(journal.list(instance=run.operation.instance, kind="backup", status=done, limit=1)), None)
    began = last.started_at if last else None
    return last.finished_at if last and began and began > known.created_at else None
