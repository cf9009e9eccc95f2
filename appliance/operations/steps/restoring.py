"""Bring database and files back into a new deployment: from a dump, or from the database's files and its log."""

from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.operations.run import Run
from appliance.operations.steps.deploying import remove_deployment
from appliance.operations.steps.recovering import find_base, prepare_cluster, recover_database
from appliance.operations.steps.repositories import lent, source_repository
from appliance.operations.steps.subject import new, subject, told
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition


def choose_way(run: Run) -> dict[str, Any]:
    """Decide what is restored, and remember it; gives what is known of the CRM as it was then. Raises PreflightFailed."""
    wanted = run.operation.parameters
    point = run.appliance.store.points.get(wanted["point"])
    run.remember(restored_point=point.id)
    if wanted.get("way") != "log" or not brings_database(run):
        return dict(point.record)
    base = find_base(run, point, wanted.get("at"))
    run.remember(base=base, at=wanted.get("at"))
    return {**base["record"], "bytes_processed": base["bytes_processed"]}


def brings_database(run: Run) -> bool:
    """Whether the database is restored; otherwise the one that serves goes on with the restored files."""
    return run.operation.parameters.get("only") != "files"


def brings_files(run: Run) -> bool:
    """Whether the files are restored; otherwise those that serve go on with the restored database."""
    return run.operation.parameters.get("only") != "database"


def share_what_stays(run: Run) -> None:
    """Let the new deployment have the part that is not restored in common with the one that serves, which stays its way back."""
    parts = ("database", "cluster") if not brings_database(run) else ("files",) if not brings_files(run) else ()
    run.remember(new={**run.memory["new"], **{part: run.memory["old"][part] for part in parts}})


def goes_by_log(run: Run) -> bool:
    """Whether the database comes from its files and its log, into a cluster of its own."""
    return bool(run.memory.get("base"))


def create_to_restore(run: Run, **more: Any) -> None:
    """Directory, environment and service definitions, with an empty database for a dump, or a cluster without data for files and log."""
    if goes_by_log(run):
        prepare_cluster(run)
    source = "empty" if brings_database(run) and not goes_by_log(run) else "none"
    run.playbook("deployment_create", told(run, database_source=source, **more))


def restore_point(run: Run) -> str:
    """Bring database and files into the new deployment; the counts and checksums of a recovery point are remembered, to be compared."""
    point = run.appliance.store.points.get(run.memory["restored_point"])
    if run.interrupted:
        drop_database, drop_files = brings_database(run), brings_files(run)
        run.playbook("deployment_remove", told(run, drop_database=drop_database, drop_cluster=goes_by_log(run), drop_files=drop_files))
        create_to_restore(run)
    with lent(run, source_repository(run, point)) as repository:
        if goes_by_log(run):
            recover_database(run, point, repository, files=_into_files(run, point) if brings_files(run) else {})
        else:
            run.backup("restore", {"repository": repository, "crm": point.instance, "point": point.id, **_parts(run, point)})
    run.remember(before=_to_compare(run, point))
    return _restored(run, point)


def _restored(run: Run, point: RecoveryPoint) -> str:
    if not brings_database(run):
        return f"the files of recovery point {point.id}; the database stays as it is"
    files = f"files of recovery point {point.id}" if brings_files(run) else "the files stay as they are"
    if run.memory.get("at"):
        return f"as of {run.memory['at']}; {files}"
    return f"recovery point {point.id}" if brings_files(run) else f"the database of recovery point {point.id}; {files}"


def _parts(run: Run, point: RecoveryPoint) -> dict[str, Any]:
    """All of it, or the part that is wanted."""
    return (_into_database(run) if brings_database(run) else {}) | (_into_files(run, point) if brings_files(run) else {})


def _into_database(run: Run) -> dict[str, Any]:
    return {"database": database_spec(run.machine.layout, subject(run), new(run)), "role": "crm"}


def _into_files(run: Run, point: RecoveryPoint) -> dict[str, Any]:
    return {"files": {str(point.record["deployment"]["files"]): new(run).files}, "owner": subject(run).user}


def _to_compare(run: Run, point: RecoveryPoint) -> dict[str, Any]:
    """What was counted at the restored moment: nothing, where that is not a point's, or was not a moment at which nobody wrote."""
    exact = not goes_by_log(run) or (run.memory.get("at") is None and point.record["wal"]["exact"])
    if not exact:
        run.log("Nothing was counted at exactly this moment, so the records are counted and not compared.")
    return {kind: dict(point.record[kind]) if exact else {} for kind in ("counts", "checksums")}


DEPLOYMENT_TO_RESTORE = StepDefinition(name="deployment", title="Prepare the deployment", run=create_to_restore, undo=remove_deployment)
RESTORE = StepDefinition(name="restore", title="Restore database and files", run=restore_point)
