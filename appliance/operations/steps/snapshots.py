"""Take recovery points, and give them up."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from appliance.domain.instance import Instance, RecoveryPoint
from appliance.operations.run import Run
from appliance.operations.steps.health import count_spec
from appliance.operations.steps.repositories import answers, lent, own_repository
from appliance.operations.telling import tell_backup
from appliance.operations.workflow import StepDefinition


def take_snapshot(run: Run) -> str:
    """Back the operation's instance up."""
    return back_up(run, run.appliance.store.instances.get(run.operation.instance), key="point")


def back_up(run: Run, instance: Instance, *, key: str) -> str:
    """Back an instance up; its recovery point is in the repository afterwards, or nothing of it. `key` is what it is remembered by."""
    with lent(run, own_repository(run)) as repository:
        run.backup("init", {"repository": repository, "quick_key": True})
        record = _finished_before(run, instance, repository, key) or _make_point(run, instance, repository, key)
    _tell(run, instance, record, key)
    run.appliance.store.points.add(
        RecoveryPoint(
            id=record["id"],
            instance=instance.name,
            at=datetime.fromisoformat(record["at"]),
            repository=own_repository(run),
            record=record,
        )
    )
    return f"recovery point {record['id']}: " + ", ".join(f"{count} {name}" for name, count in sorted(record["counts"].items()))


def forget_points(run: Run, instance: str, points: Collection[RecoveryPoint], *, log_since: str) -> None:
    """Give up recovery points of an instance, and bases and logs that lead only to moments before `log_since`.

    First in the repository on its host, as far as they are there, then in the appliance's memory.
    """
    with lent(run, own_repository(run)) as repository:
        there = {point["id"] for point in run.backup("points", {"repository": repository, "crm": instance})["points"]}
        ids = [point.id for point in points if point.id in there]
        run.backup("forget", {"repository": repository, "crm": instance, "points": ids, "log_since": log_since})
    run.appliance.store.points.forget([point.id for point in points])


def purge(run: Run, repository: str, instance: str) -> None:
    """Give up everything that a repository holds of an instance. Raises CommandFailed."""
    with lent(run, repository) as spec:
        if not answers(run, spec):
            return
        there = run.backup("points", {"repository": spec, "crm": instance})["points"]
        run.backup("forget", {"repository": spec, "crm": instance, "points": [point["id"] for point in there], "log_at_all": False})


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
    tell_backup(run.appliance, instance.name, repository=own_repository(run), began=began, record=record)


def _backup_spec(run: Run, instance: Instance) -> dict[str, Any]:
    deployment = instance.deployment
    assert deployment is not None  # noqa: S101 - accepted only for an instance that serves
    root = run.machine.layout.crm_root / instance.name
    marked = {"spool": instance.archive.spool} if instance.archive and instance.archive.deployment == deployment.id else {}
    return {
        "crm": instance.name,
        "paths": [deployment.files, str(root / "secrets")],
        "record": facts_of(instance),
        **count_spec(run.appliance, instance, deployment),
        **marked,
    }


def facts_of(instance: Instance) -> dict[str, Any]:
    """What has to be known of an instance to make it again from its data."""
    deployment = instance.deployment
    assert deployment is not None  # noqa: S101 - accepted only for an instance that serves
    return {
        "product": instance.product,
        "release": deployment.version,
        "series": deployment.series,
        "settings": dict(instance.settings),
        "domain": instance.domain,
        "deployment": deployment.as_variables(),
    }


BACKUP = StepDefinition(name="backup", title="Take a recovery point", run=take_snapshot)
SAFETY_BACKUP = StepDefinition(name="backup", title="Take a safety backup", run=take_snapshot)
