"""Take and use recovery points."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.operations.run import Run
from appliance.operations.steps.health import count_spec
from appliance.operations.steps.subject import new, subject, told
from appliance.operations.telling import tell_backup
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition

REPOSITORY_SCOPE = "repository:local"
PASSWORD_LENGTH = 40


def repository_spec(run: Run, password_file: str) -> dict[str, str]:
    """The local repository."""
    return {"location": str(run.appliance.settings.repository_directory), "password_file": password_file}


def take_snapshot(run: Run) -> str:
    """Back the instance up; its recovery point is in the repository afterwards, or nothing of it."""
    instance = run.appliance.store.instances.get(run.operation.instance)
    password = run.appliance.store.vault.ensure(REPOSITORY_SCOPE, "password", PASSWORD_LENGTH)
    with run.secret_files({"repository": password}) as files:
        repository = repository_spec(run, files["repository"])
        run.backup("init", {"repository": repository})
        record = _finished_before(run, repository) or _make_point(run, instance, repository)
    run.appliance.store.points.add(
        RecoveryPoint(id=record["id"], instance=instance.name, at=datetime.fromisoformat(record["at"]), repository="local", record=record)
    )
    return f"recovery point {record['id']}: " + ", ".join(f"{count} {name}" for name, count in sorted(record["counts"].items()))


def restore_point(run: Run) -> str:
    """Bring database and files of a recovery point into the new deployment; its own counts and checksums are compared."""
    instance, deployment = subject(run), new(run)
    point = run.appliance.store.points.get(run.memory["restored_point"])
    password = run.appliance.store.vault.get(REPOSITORY_SCOPE, "password")
    if run.interrupted:
        run.playbook("deployment_remove", told(run, drop_database=True, drop_files=True))
        run.playbook("deployment_create", told(run, database_source="empty"))
    with run.secret_files({"repository": password}) as files:
        spec = {
            "repository": repository_spec(run, files["repository"]),
            "point": point.id,
            "database": database_spec(run.appliance.settings, instance, deployment),
            "role": "crm",
            "files": {str(point.record["deployment"]["files"]): deployment.files},
            "owner": instance.user,
        }
        run.backup("restore", spec)
    run.remember(before={"counts": point.record["counts"], "checksums": point.record["checksums"]})
    return f"recovery point {point.id}"


def _finished_before(run: Run, repository: Mapping[str, str]) -> dict[str, Any] | None:
    """The record of a backup that had come to its end when it was cut off."""
    point = run.memory.get("point")
    if point is None:
        return None
    listed = run.backup("points", {"repository": repository, "crm": run.operation.instance})
    return next((record for record in listed["points"] if record["id"] == point), None)


def _make_point(run: Run, instance: Instance, repository: Mapping[str, str]) -> dict[str, Any]:
    started = run.now()
    point = f"{started:%Y%m%dT%H%M%SZ}-{run.operation.id}"
    run.remember(point=point)
    record = run.backup("backup", {"repository": repository, "point": point, **_backup_spec(run, instance)})
    for warning in record.get("warnings", ()):
        run.log(f"not backed up: {warning}")
    tell_backup(run.appliance, instance.name, started=started, now=run.now(), record=record)
    return {name: value for name, value in record.items() if name != "event"}


def _backup_spec(run: Run, instance: Instance) -> dict[str, Any]:
    deployment = instance.deployment
    assert deployment is not None  # noqa: S101 - accepted only for an instance that serves
    root = run.appliance.settings.crm_root / instance.name
    return {
        "crm": instance.name,
        "paths": [deployment.files, str(root / "secrets")],
        "record": {
            "product": instance.product,
            "release": deployment.version,
            "series": deployment.series,
            "settings": dict(instance.settings),
            "deployment": deployment.as_variables(),
        },
        **count_spec(run.appliance, instance, deployment),
    }


BACKUP = StepDefinition(name="backup", title="Take a recovery point", run=take_snapshot)
SAFETY_BACKUP = StepDefinition(name="backup", title="Take a safety backup", run=take_snapshot)
RESTORE = StepDefinition(name="restore", title="Restore database and files", run=restore_point)
