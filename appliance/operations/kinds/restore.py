"""Restore: in place of what serves (which is kept as the way back), or beside it as a new instance."""

from collections.abc import Mapping
from typing import Any, Literal

from appliance.domain.instance import InstanceState, RecoveryPoint, check_name
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.kinds.backup import backup_checks, serving
from appliance.operations.parameters import Parameters, read
from appliance.operations.preflight import RELEASE_BYTES, Check, disk_has_room, lock_is_intact, require, runtime_fits
from appliance.operations.run import Run
from appliance.operations.steps.copying import Moment, Way, choose, host_for, reserve_copy
from appliance.operations.steps.deciding import decide_on_release, release_reservation
from appliance.operations.steps.deploying import START, VERIFY, VERIFY_RECORDS
from appliance.operations.steps.hosting import HOST, INSTANCE, RELEASE
from appliance.operations.steps.losing import would_be_lost
from appliance.operations.steps.restoring import DEPLOYMENT_TO_RESTORE, RESTORE, brings_database, choose_way, goes_by_log, share_what_stays
from appliance.operations.steps.snapshots import take_snapshot
from appliance.operations.steps.takeover import FIRST_SWITCH, MAINTENANCE, OPEN, SWITCH
from appliance.operations.workflow import StepDefinition, Workflow
from appliance.wiring import Appliance

ROOM = 4
"""A restored database with its indexes and log takes up to this many times the dump."""


class RestoreParameters(Parameters):
    """What to go back to: see `choose`. `repository` is one elsewhere that it is read from; `only` a part of it, the other one stays."""

    point: str | None = None
    at: Moment | None = None
    way: Way | None = None
    repository: str | None = None
    only: Literal["database", "files"] | None = None
    safety_backup: bool = True


class BesideParameters(Parameters):
    """`source` is the instance that the point was taken of; it may have been removed since. `repository` is one elsewhere that it
    is read from; without it, `host` can only be the one it lies on.
    """

    source: str
    point: str | None = None
    at: Moment | None = None
    way: Way | None = None
    repository: str | None = None
    port: int | None = None
    address: str | None = None
    host: str | None = None


def accept_in_place(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, Conflict."""
    serving(appliance, instance)
    wanted = read(RestoreParameters, parameters)
    if wanted.repository is not None:
        appliance.store.repositories.get(wanted.repository)
    if wanted.only == "files" and (wanted.at or wanted.way):
        raise InvalidRequest("Files alone come from a recovery point, not from the log. Nothing was changed; name a point.", field="only")
    return {**wanted.model_dump(mode="json"), **choose(appliance, instance, point=wanted.point, at=wanted.at, way=wanted.way)}


def accept_beside(appliance: Appliance, instance: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidRequest, NotFound, and Conflict for a taken name."""
    name = check_name(instance)
    wanted = read(BesideParameters, parameters)
    if (there := appliance.store.instances.find(name)) is not None and not there.is_lost:
        raise Conflict(f"An instance named {name} exists already. Nothing was changed.")
    if name != wanted.source and appliance.store.points.list(name):
        raise Conflict(f"Recovery points of a removed instance named {name} are kept. Nothing was changed; choose another name.")
    chosen = choose(appliance, wanted.source, point=wanted.point, at=wanted.at, way=wanted.way)
    return {
        **wanted.model_dump(mode="json"),
        **chosen,
        "host": host_for(appliance, appliance.store.points.get(chosen["point"]), wanted=wanted.host, repository=wanted.repository),
    }


def check_in_place(run: Run) -> str:
    """Refuse before anything is changed."""
    instance = serving(run.appliance, run.operation.instance)
    record = choose_way(run)
    wanted = backup_checks(run, instance) if run.operation.parameters["safety_backup"] else []
    release = record["release"] if brings_database(run) else instance.release  # the database that stays belongs to its release
    checked = require([*wanted, *_checks(run, {**record, "release": release})])
    decide_on_release(run, instance, release, follows=False, apart=goes_by_log(run))
    share_what_stays(run)
    return f"{checked}; {would_be_lost(run)}"


def check_beside(run: Run) -> str:
    """Refuse before anything is changed."""
    point = run.appliance.store.points.get(run.operation.parameters["point"])
    return require([*_checks(run, choose_way(run)), secrets_are_kept(run.appliance, point)])


def secrets_are_kept(appliance: Appliance, point: RecoveryPoint) -> Check:
    """What the data of a recovery point cannot be used without is still known; of a removed instance too, unless it was purged."""

    def check() -> str | None:
        wanted = [secret.name for secret in appliance.catalogue.get(point.record["product"]).definition.secrets]
        if not (gone := sorted(set(wanted) - appliance.store.vault.all(point.instance).keys())):
            return None
        names = ", ".join(gone)
        return f"the secrets of {point.instance} are no longer kept ({names}); docs/runbooks/restore-by-hand.md takes them from the point"

    return check


def reserve(run: Run) -> str:
    """Take name and ports; the new instance gets the secrets that belong to the data."""
    point = run.appliance.store.points.get(run.operation.parameters["point"])
    instance = reserve_copy(run, run.operation.instance, point, state=InstanceState.INSTALLING)
    vault = run.appliance.store.vault
    for name, value in vault.all(run.operation.parameters["source"]).items():
        vault.put(instance.name, name, value)
    return f"{instance.name} will answer at {instance.url}"


def give_back(run: Run) -> None:
    """Forget the name, the ports and the copied secrets; an instance that was to be brought back keeps its own."""
    if run.memory.get("created") and run.operation.parameters["source"] != run.operation.instance:
        run.appliance.store.vault.forget(run.operation.instance)
    release_reservation(run)


def safety_backup(run: Run) -> str:
    """Keep what is there now, unless told not to."""
    return take_snapshot(run) if run.operation.parameters["safety_backup"] else "not wanted"


def _checks(run: Run, record: Mapping[str, Any]) -> list[Any]:
    found, version = run.appliance.catalogue.get(record["product"]), record["release"]
    return [
        runtime_fits(run.machine.reach, found.definition, version),
        lock_is_intact(found, version),
        disk_has_room(run.machine.reach, run.machine.layout.crm_root, RELEASE_BYTES + ROOM * int(record["bytes_processed"])),
    ]


PREFLIGHT_TITLE = "Check before anything is changed"

RESTORE_IN_PLACE = Workflow(
    kind="restore",
    accept=accept_in_place,
    steps=(
        StepDefinition(name="preflight", title=PREFLIGHT_TITLE, run=check_in_place),
        StepDefinition(name="backup", title="Take a safety backup", run=safety_backup),
        RELEASE,
        DEPLOYMENT_TO_RESTORE,
        RESTORE,
        MAINTENANCE,  # before the restored copy starts: its job queue must not send what the old one sends too
        START,
        VERIFY,
        SWITCH,
        OPEN,
    ),
)

RESTORE_BESIDE = Workflow(
    kind="restore-beside",
    accept=accept_beside,
    steps=(
        StepDefinition(name="preflight", title=PREFLIGHT_TITLE, run=check_beside),
        StepDefinition(name="reserve", title="Take name and ports", run=reserve, undo=give_back),
        HOST,
        INSTANCE,
        RELEASE,
        DEPLOYMENT_TO_RESTORE,
        RESTORE,
        START,
        VERIFY_RECORDS,
        FIRST_SWITCH,
        OPEN,
    ),
)
