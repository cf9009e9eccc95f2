"""Take and use recovery points."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.domain.host import LOCALHOST
from appliance.domain.instance import Instance, RecoveryPoint
from appliance.operations.run import Run
from appliance.operations.steps.health import count_spec
from appliance.operations.steps.subject import new, subject, told
from appliance.operations.telling import tell_backup
from appliance.operations.variables import database_spec
from appliance.operations.workflow import StepDefinition

PASSWORD_LENGTH = 40
LOCAL_REPOSITORY = "local"


def repository_name(host: str) -> str:
    """How a host's own repository is called."""
    return LOCAL_REPOSITORY if host == LOCALHOST else host


def host_of_point(point: RecoveryPoint) -> str:
    """The host that a recovery point lies on."""
    return LOCALHOST if point.repository == LOCAL_REPOSITORY else point.repository


def repository_scope(repository: str) -> str:
    """Where the password of a repository is kept."""
    return f"repository:{repository}"


def repository_spec(run: Run, password_file: str) -> dict[str, str]:
    """The repository on the instance's own host."""
    return {"location": str(run.machine.layout.repository_directory), "password_file": password_file}


def take_snapshot(run: Run) -> str:
    """Back the operation's instance up."""
    return back_up(run, run.appliance.store.instances.get(run.operation.instance), key="point")


def back_up(run: Run, instance: Instance, *, key: str) -> str:
    """Back an instance up; its recovery point is in the repository afterwards, or nothing of it. `key` is what it is remembered by."""
    password = run.appliance.store.vault.ensure(repository_scope(repository_name(run.machine.host.name)), "password", PASSWORD_LENGTH)
    with run.lent_secrets({"repository": password}) as files:
        repository = repository_spec(run, files["repository"])
        run.backup("init", {"repository": repository})
        record = _finished_before(run, instance, repository, key) or _make_point(run, instance, repository, key)
    _tell(run, instance, record, key)
    run.appliance.store.points.add(
        RecoveryPoint(
            id=record["id"],
            instance=instance.name,
            at=datetime.fromisoformat(record["at"]),
            repository=repository_name(run.machine.host.name),
            record=record,
        )
    )
    return f"recovery point {record['id']}: " + ", ".join(f"{count} {name}" for name, count in sorted(record["counts"].items()))


def restore_point(run: Run) -> str:
    """Bring database and files of a recovery point into the new deployment; its own counts and checksums are compared."""
    instance, deployment = subject(run), new(run)
    point = run.appliance.store.points.get(run.memory["restored_point"])
    password = run.appliance.store.vault.get(repository_scope(point.repository), "password")
    if run.interrupted:
        run.playbook("deployment_remove", told(run, drop_database=True, drop_files=True))
        run.playbook("deployment_create", told(run, database_source="empty"))
    with run.lent_secrets({"repository": password}) as files:
        spec = {
            "repository": repository_spec(run, files["repository"]),
            "point": point.id,
            "database": database_spec(run.machine.layout, instance, deployment),
            "role": "crm",
            "files": {str(point.record["deployment"]["files"]): deployment.files},
            "owner": instance.user,
        }
        run.backup("restore", spec)
    run.remember(before={"counts": point.record["counts"], "checksums": point.record["checksums"]})
    return f"recovery point {point.id}"


def _finished_before(run: Run, instance: Instance, repository: Mapping[str, str], key: str) -> dict[str, Any] | None:
    """The record of a backup that had come to its end when it was cut off."""
    point = run.memory.get(key)
    if point is None:
        return None
    listed = run.backup("points", {"repository": repository, "crm": instance.name})
    return next((record for record in listed["points"] if record["id"] == point), None)


def _make_point(run: Run, instance: Instance, repository: Mapping[str, str], key: str) -> dict[str, Any]:
    started = run.now()
    own = instance.name == run.operation.instance
    point = f"{started:%Y%m%dT%H%M%SZ}-{run.operation.id}" + ("" if own else f"-{instance.name}")
    run.remember(**{key: point, f"{key}_began": started.isoformat()})
    record = run.backup("backup", {"repository": repository, "point": point, **_backup_spec(run, instance)})
    for warning in record.get("warnings", ()):
        run.log(f"not backed up: {warning}")
    return {name: value for name, value in record.items() if name != "event"}


def _tell(run: Run, instance: Instance, record: Mapping[str, Any], key: str) -> None:
    """Tell the monitor of the point, whether it was made now or had come to its end before a crash that kept it untold."""
    began = datetime.fromisoformat(run.memory.get(f"{key}_began", record["at"]))
    tell_backup(run.appliance, instance.name, repository=repository_name(run.machine.host.name), began=began, record=record)


def _backup_spec(run: Run, instance: Instance) -> dict[str, Any]:
    deployment = instance.deployment
    assert deployment is not None  # noqa: S101 - accepted only for an instance that serves
    root = run.machine.layout.crm_root / instance.name
    return {
        "crm": instance.name,
        "paths": [deployment.files, str(root / "secrets")],
        "record": {
            "product": instance.product,
            "release": deployment.version,
            "series": deployment.series,
            "settings": dict(instance.settings),
            "domain": instance.domain,
            "deployment": deployment.as_variables(),
        },
        **count_spec(run.appliance, instance, deployment),
    }


BACKUP = StepDefinition(name="backup", title="Take a recovery point", run=take_snapshot)
SAFETY_BACKUP = StepDefinition(name="backup", title="Take a safety backup", run=take_snapshot)
RESTORE = StepDefinition(name="restore", title="Restore database and files", run=restore_point)
