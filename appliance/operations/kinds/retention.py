"""Retention: give up elsewhere what is not to be kept there, from the appliance's machine, with credentials that no host has."""

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.domain.repository import Repository
from appliance.domain.retention import UNCHANGED, Retention, to_give_up
from appliance.errors import Conflict, StepFailed
from appliance.operations.genuine import genuine
from appliance.operations.kinds.backup import serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.run import Run
from appliance.operations.steps.repositories import PASSWORD, remote_repository, repository_scope, retention_scope
from appliance.operations.steps.shrinking import expected_in, shrunk
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

SUPERSEDED_KEPT = timedelta(days=7)
"""A snapshot of the log that a later one holds everything of stays that long: whoever can add could have added that later one."""


class RetentionParameters(Parameters):
    """Nothing: what is kept belongs to the repository."""


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict where no repository has a retention of its own."""
    serving(appliance, instance)
    if not _with_retention(appliance):
        mend = "appliance repository retention NAME --keep daily=7 --credential NAME=FILE"
        raise Conflict(f"No repository elsewhere has a retention of its own; give it one: {mend}. Nothing was changed.")
    return read(RetentionParameters, parameters).model_dump()


def give_up_elsewhere(run: Run) -> str:
    """In each repository that has a retention. Raises StepFailed where nothing was given up, since something looks wrong."""
    told, wrong = [], []
    for repository in _with_retention(run.appliance):
        try:
            told.append(f"{repository.name}: {_given_up(run, repository)}")
        except Conflict as refused:
            wrong.append(f"{repository.name}: {refused}")
            run.log(wrong[-1])
    if wrong:
        raise StepFailed(" ".join(wrong))
    return "; ".join(told)


def _with_retention(appliance: Appliance) -> list[Repository]:
    return [repository for repository in appliance.store.repositories.list() if repository.retention]


def _given_up(run: Run, repository: Repository) -> str:
    assert repository.retention is not None  # noqa: S101 - only those that have one
    vault, crm = run.appliance.store.vault, run.operation.instance
    secrets = vault.all(retention_scope(repository.name)) | {PASSWORD: vault.all(repository_scope(repository.name))[PASSWORD]}
    with run.secret_files(secrets) as files:
        spec = remote_repository(repository.retention["location"], run.appliance.settings.home / "leases", files)
        there = run.backup_here("points", {"repository": spec, "crm": crm})["points"]
        points = genuine(run.appliance, crm, repository.name, there)
        _require_whole(run, repository.name, points)
        taken = run.appliance.store.operations.begun_at(instance=crm, kind="backup")
        going = to_give_up(points, Retention(**repository.retention["keep"]), UTC, now=run.now(), taken=taken)
        kept = [point for point in points if point not in going]
        if not kept:
            return "no recovery point of this CRM is there"
        _forget(run, spec, going, kept)
    strangers = f"; {len(there) - len(points)} that this appliance has not made were left alone" if len(there) > len(points) else ""
    return f"{len(going)} recovery points were given up, {len(kept)} are kept{strangers}"


def _require_whole(run: Run, repository: str, there: Sequence[RecoveryPoint]) -> None:
    ids = {point.id for point in there}
    if gone := [point for point in expected_in(run, repository) if point.id not in ids]:
        raise Conflict(f"{shrunk(repository, gone)} {UNCHANGED}")


def _forget(run: Run, spec: Mapping[str, Any], going: Sequence[RecoveryPoint], kept: Sequence[RecoveryPoint]) -> None:
    told = {
        "points": [point.id for point in going],
        "log_since": min(point.at for point in kept).isoformat(),
        "superseded_before": (run.now() - SUPERSEDED_KEPT).isoformat(),
    }
    run.backup_here("forget", {"repository": spec, "crm": run.operation.instance, **told})


RETENTION = Workflow(
    kind="retention",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(StepDefinition(name="retention", title="Give up elsewhere what is not to be kept", run=give_up_elsewhere),),
)
