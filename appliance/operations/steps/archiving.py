"""Keep every change of a database, not only its recovery points: its log is received all the time, and its files are saved as a base."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

from appliance.domain.instance import Archive, Instance
from appliance.errors import StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.repositories import PASSWORD, lent, local_repository, own_repository, repository_scope
from appliance.operations.steps.snapshots import facts_of
from appliance.operations.variables import database_spec, variables


def begin_archive(run: Run) -> str:
    """Receive the log of what serves. That of a deployment which serves no longer is shipped to its end, then cleared."""
    instance = run.appliance.store.instances.get(run.operation.instance)
    archive = _wanted(run, instance)
    before = instance.archive
    if before is not None and before != archive:
        _wind_up(run, instance, before, clear=before.spool)
    run.remember(archive=dict(vars(archive)))
    with lent(run, own_repository(run)) as repository:
        run.backup("init", {"repository": repository})
    with run.secret_files({"repository": _password(run)}) as files:
        _play(run, instance, "on", {**_told(run, instance, archive), "password_file": files["repository"]})
    run.appliance.store.instances.archive(instance.name, archive)
    return f"the log of {archive.database['name']} is received"


def save_base(run: Run) -> str:
    """Save the files that the log is replayed onto; from this moment on, any moment can be gone back to."""
    instance = run.appliance.store.instances.get(run.operation.instance)
    archive = instance.archive
    assert archive is not None  # noqa: S101 - it was begun by the step before
    base = f"{run.now():%Y%m%dT%H%M%SZ}-{run.operation.id}"
    with lent(run, own_repository(run)) as repository:
        wanted = {"base": base, "record": facts_of(instance), **_log_of(instance, archive)}
        saved = run.backup("base", {"repository": repository, **wanted})
    return f"base {base}, {saved['bytes_added'] // 1024**2} MB in {saved['duration_seconds']:.0f} s"


def end_archive(run: Run, instance: Instance, archive: Archive) -> None:
    """Receive a log no longer: what was received is shipped, then cleared. What is in the repository stays."""
    _wind_up(run, instance, archive, clear=str(_root(run, instance)))


def ship_now(run: Run, instance: Instance) -> None:
    """Ship what was received up to this moment, since it is about to be needed."""
    if instance.archive is not None:
        with lent(run, own_repository(run)) as repository:
            run.backup("ship", {"repository": repository, **_log_of(instance, instance.archive)})


def see_received(run: Run) -> str:
    """See that the log really reaches beyond the recovery point that was just made. Raises StepFailed: nobody would notice otherwise."""
    instance = run.appliance.store.instances.get(run.operation.instance)
    if instance.archive is None:
        return "not every change is kept"
    ship_now(run, instance)
    point = run.appliance.store.points.get(run.memory["point"])
    with lent(run, own_repository(run)) as repository:
        bases = run.backup("bases", {"repository": repository, "crm": instance.name})["bases"]
    newest = max((datetime.fromisoformat(base["until"]) for base in bases if base["until"]), default=None)
    if newest is None or newest < point.at:
        until = f"since {newest:%Y-%m-%d %H:%M:%S} UTC" if newest else "at all"
        said = f"The recovery point is kept, but the log was not received {until}: no moment after that can be gone back to"
        raise StepFailed(f"{said}. Begin it anew: appliance archive {instance.name} --afresh")
    return f"any moment up to {newest:%H:%M:%S} UTC can be gone back to"


def _wind_up(run: Run, instance: Instance, archive: Archive, *, clear: str) -> None:
    _play(run, instance, "off", {})
    with lent(run, own_repository(run)) as repository:
        run.backup("ship", {"repository": repository, **_log_of(instance, archive), "ended": True})
    _play(run, instance, "cleared", {"directory": clear})
    run.appliance.store.instances.archive(instance.name, None)


def _wanted(run: Run, instance: Instance) -> Archive:
    """The archive of what serves now: the one that there is, or a new one; a second call keeps to what the first had decided."""
    deployment = instance.deployment
    assert deployment is not None  # noqa: S101 - accepted only for an instance that serves
    if (decided := run.memory.get("archive")) is not None:
        return Archive(**decided)
    if instance.archive is not None and instance.archive.deployment == deployment.id and not run.operation.parameters["afresh"]:
        return instance.archive
    spool = _root(run, instance) / f"{deployment.id}-{run.operation.id}"
    return Archive(deployment=deployment.id, spool=str(spool), database=database_spec(run.machine.layout, instance, deployment))


def _root(run: Run, instance: Instance) -> PurePath:
    return run.machine.layout.crm_root / instance.name / "archive"


def _told(run: Run, instance: Instance, archive: Archive) -> dict[str, Any]:
    stream = {
        "repository": local_repository(run, str(_root(run, instance) / "password")),
        **_log_of(instance, archive),
        "ship_every_seconds": run.appliance.settings.archive_ship_seconds,
    }
    return {"spool": archive.spool, "stream": stream, "repository_parent": str(run.machine.layout.repository_directory.parent)}


def _log_of(instance: Instance, archive: Archive) -> dict[str, Any]:
    return {"crm": instance.name, "database": archive.database, "spool": archive.spool}


def _play(run: Run, instance: Instance, state: str, archive: Mapping[str, Any]) -> None:
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    told = variables(run.appliance, instance, deployment=instance.deployment)
    run.playbook("archive", {**told, "archive_state": state, "archive": archive})


def _password(run: Run) -> str:
    return run.appliance.store.vault.get(repository_scope(own_repository(run)), PASSWORD)
