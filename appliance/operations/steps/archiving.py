"""Keep every change of a database, not only its recovery points: its log is received all the time, and its files are saved as a base."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from appliance.domain.instance import Archive, Instance
from appliance.errors import StepFailed
from appliance.operations.run import Run
from appliance.operations.steps.repositories import (
    PASSWORD,
    lent,
    local_repository,
    own_repository,
    remote_repository,
    repository_scope,
)
from appliance.operations.steps.snapshots import facts_of
from appliance.operations.variables import database_spec, variables
from appliance.wiring import Appliance

OWN_PASSWORD = "password"  # noqa: S105 - the name of a file
"""Files of a repository elsewhere are called as it is, a dot, and what they hold."""


def begin_archive(run: Run) -> str:
    """Receive the log of what serves. That of a deployment which serves no longer is shipped to its end, then cleared."""
    instance = run.appliance.store.instances.get(run.operation.instance)
    archive = _wanted(run, instance)
    before = instance.archive
    if before is not None and before.spool != archive.spool:
        _wind_up(run, instance, before, clear=before.spool)
    run.remember(archive=dict(vars(archive)))
    with lent(run, own_repository(run)) as repository:
        run.backup("init", {"repository": repository, "quick_key": True})
    with run.secret_files(_secrets(run, archive)) as files:
        _play(run, instance, "on", _told(run, instance, archive, files))
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
    relays = relays_to(run.appliance)
    if instance.archive is not None and instance.archive.deployment == deployment.id and not run.operation.parameters["afresh"]:
        return replace(instance.archive, relays=relays)
    spool = _root(run, instance) / f"{deployment.id}-{run.operation.id}"
    database = database_spec(run.machine.layout, instance, deployment)
    return Archive(deployment=deployment.id, spool=str(spool), database=database, relays=relays)


def _root(run: Run, instance: Instance) -> PurePath:
    return run.machine.layout.crm_root / instance.name / "archive"


def relays_to(appliance: Appliance) -> dict[str, str]:
    """The repositories elsewhere that a log is shipped to, and when each was added, or is asked with what it is asked with."""
    return {one.name: (one.credentials_at or one.created_at).isoformat() for one in appliance.store.repositories.list()}


def _secrets(run: Run, archive: Archive) -> dict[str, str]:
    """What the service needs, by the path below the archive's directory at which it is to lie."""
    vault = run.appliance.store.vault
    own = {OWN_PASSWORD: vault.get(repository_scope(own_repository(run)), PASSWORD)}
    for name in archive.relays:
        own |= {f"{name}.{secret}": value for secret, value in vault.all(repository_scope(name)).items()}
    return own


def _told(run: Run, instance: Instance, archive: Archive, files: Mapping[str, str]) -> dict[str, Any]:
    root, host_directory = _root(run, instance) / "secrets", run.machine.layout.repository_directory.parent
    log, every_seconds = _log_of(instance, archive), run.appliance.settings.archive_ship_seconds
    stream = {
        "repository": local_repository(run, str(root / OWN_PASSWORD)),
        **log,
        "ship_every_seconds": every_seconds,
        "relays": [
            {
                "repository": _repository(run, name, files, root),
                "name": name,
                "crm": log["crm"],
                "spool": log["spool"],
                "ship_every_seconds": every_seconds,
            }
            for name in archive.relays
        ],
    }
    return {"spool": archive.spool, "stream": stream, "secrets": dict(files), "repository_parent": str(host_directory)}


def _repository(run: Run, name: str, files: Mapping[str, str], root: PurePath) -> dict[str, Any]:
    """One elsewhere, as the service is told of it: its secrets lie in files of root's on the host."""
    there = {file.removeprefix(f"{name}."): str(root / file) for file in files if file.startswith(f"{name}.")}
    location = run.appliance.store.repositories.get(name).location
    return remote_repository(location, run.machine.layout.repository_directory.parent / "leases", there)


def _log_of(instance: Instance, archive: Archive) -> dict[str, Any]:
    return {"crm": instance.name, "database": archive.database, "spool": archive.spool}


def _play(run: Run, instance: Instance, state: str, archive: Mapping[str, Any]) -> None:
    assert instance.deployment is not None  # noqa: S101 - accepted only for an instance that serves
    told = variables(run.appliance, instance, deployment=instance.deployment)
    run.playbook("archive", {**told, "archive_state": state, "archive": archive})
