"""Backup: a recovery point of an instance that serves."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.domain.retention import UNCHANGED, Retention, to_give_up
from appliance.errors import Conflict, PreflightFailed
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import COPIES, Check, database_answers, database_bytes, disk_has_room, require
from appliance.operations.run import Run
from appliance.operations.steps.archiving import see_received
from appliance.operations.steps.elsewhere import ELSEWHERE
from appliance.operations.steps.repositories import lent, own_repository
from appliance.operations.steps.shrinking import gone_from, shrunk
from appliance.operations.steps.snapshots import BACKUP, forget_points
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance


class BackupParameters(Parameters):
    """`keep` says which recovery points stay when a new one was taken; without it, all of them."""

    keep: Retention | None = None


def serving(appliance: Appliance, name: str) -> Instance:
    """The instance, which has a deployment. Raises NotFound, or Conflict when it does not serve yet."""
    instance = appliance.store.instances.get(name)
    if instance.deployment is None:
        raise Conflict(f"{name} does not serve yet ({instance.state.value}). Nothing was changed.")
    return instance


def require_open(instance: Instance) -> None:
    """Raises PreflightFailed for one that somebody has closed: what lets visitors in at its end does not decide that over their heads."""
    if instance.closed is not None:
        mend = f"It would let visitors in. Open it before: appliance instance open {instance.name}"
        raise PreflightFailed((f"{instance.name} is closed for maintenance by {instance.closed.by}. {mend}",))


def accept(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    return read(BackupParameters, parameters).model_dump(exclude_none=True)


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


def give_up(run: Run) -> str:
    """Give up the recovery points that are not to be kept; none while something looks wrong, which is said and no failure of the backup."""
    keep, name = run.operation.parameters.get("keep"), run.operation.instance
    if keep is None:
        return "all recovery points are kept"
    points = [point for point in run.appliance.store.points.list(name) if point.repository == own_repository(run)]
    try:
        taken = run.appliance.store.operations.begun_at(instance=name, kind="backup")
        going = to_give_up(points, Retention(**keep), UTC, now=run.now(), taken=taken)
        _require_whole(run, [point for point in points if point not in going])
    except Conflict as refused:
        run.log(str(refused))
        return str(refused)
    if going:
        since = min(point.at for point in points if point not in going).isoformat()
        run.remember(given_up={"points": [point.id for point in going], "log_since": since})
        forget_points(run, name, going, log_since=since)
    return f"{len(going)} recovery points were given up, {len(points) - len(going)} are kept"


def _require_whole(run: Run, kept: Sequence[RecoveryPoint]) -> None:
    """Raises Conflict where what is to be kept has gone from the host's repository already."""
    own = own_repository(run)
    with lent(run, own) as repository:
        ids = {point.id for point in gone_from(run, own, repository)}
    if gone := [point for point in kept if point.id in ids]:
        raise Conflict(f"{shrunk(own, gone)} {UNCHANGED}")


BACKUP_WORKFLOW = Workflow(
    kind="backup",
    accept=accept,
    undone=OperationStatus.FAILED,
    steps=(
        StepDefinition(name="preflight", title="Check before anything is written", run=check),
        BACKUP,
        StepDefinition(name="retention", title="Give up what is not to be kept", run=give_up),
        ELSEWHERE,
        StepDefinition(name="log", title="See that every change is received", run=see_received),
    ),
)
