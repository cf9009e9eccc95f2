"""A copy of an instance beside it, made from one of its recovery points."""

from typing import Any, Literal

from pydantic import AwareDatetime

from appliance.domain.host import LOCALHOST
from appliance.domain.instance import Instance, InstanceState, RecoveryPoint
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.run import Run
from appliance.operations.steps.deciding import decide_on_release, reserve_instance
from appliance.operations.steps.repositories import host_of_point
from appliance.wiring import Appliance

Way = Literal["dump", "log"]
Moment = AwareDatetime | Literal["latest"]
"""`latest` is as late as what was received of the log reaches."""


def choose_point(appliance: Appliance, instance: str, wanted: str | None) -> RecoveryPoint:
    """The wanted point of an instance, or its newest. Raises NotFound, InvalidRequest."""
    points = appliance.store.points.list(instance)
    if not points:
        raise NotFound(f"{instance} has no recovery point. Nothing was changed; take one with: appliance backup {instance}")
    if wanted is None or wanted == "latest":
        return points[0]
    if all(point.id != wanted for point in points):
        raise InvalidRequest(
            f"{wanted!r} is no recovery point of {instance}. Nothing was changed; see: appliance recovery-points {instance}", field="point"
        )
    return appliance.store.points.get(wanted)


def choose(appliance: Appliance, instance: str, *, point: str | None, at: Moment | None, way: Way | None) -> dict[str, Any]:
    """What to go back to: a recovery point (the newest, if none is named), or any moment `at` which the log was received.

    The `way` is a dump, or the database's files and its log, which is the only one to a moment; its files then come from the first
    recovery point after it, so that none is missing. Raises NotFound, InvalidRequest.
    """
    if at is None:
        chosen = choose_point(appliance, instance, point)
        if way == "log" and not chosen.is_in_log:
            raise InvalidRequest(f"Recovery point {chosen.id} is not marked in a received log. Nothing was changed.", field="way")
        return {"point": chosen.id, "way": way or "dump"}
    if point is not None or way == "dump":
        raise InvalidRequest("A moment is gone back to by the log, not by a recovery point's dump. Nothing was changed.", field="at")
    newest = choose_point(appliance, instance, None)
    files = [newest, *(one for one in appliance.store.points.list(instance) if at != "latest" and one.at >= at)][-1]
    return {"point": files.id, "way": "log"}


def newest_of_what_serves(appliance: Appliance, instance: str) -> RecoveryPoint:
    """The newest point of the release that serves: after a rollback there are newer ones, of the release it left. Raises NotFound."""
    release = appliance.store.instances.get(instance).release
    of_release = [point for point in appliance.store.points.list(instance) if point.record["release"] == release]
    if not of_release:
        mend = f"take one with: appliance backup {instance}"
        raise NotFound(f"{instance} has no recovery point of {release}, which it serves now. Nothing was changed; {mend}")
    return of_release[0]


def host_for(appliance: Appliance, point: RecoveryPoint, *, wanted: str | None, repository: str | None) -> str:
    """The host that a point is restored on: the one it lies on, or any that reads it from a `repository` elsewhere.

    Raises NotFound, InvalidRequest.
    """
    elsewhere = point.repository in {one.name for one in appliance.store.repositories.list()}
    host = LOCALHOST if elsewhere else host_of_point(point)
    if elsewhere or repository is not None:
        appliance.store.repositories.get(repository or point.repository)
        return appliance.store.hosts.get(wanted or host).name
    if wanted is not None and wanted != host:
        raise InvalidRequest(f"Recovery point {point.id} lies on the host {host} and is restored there. Nothing was changed.", field="host")
    return host


def reserve_copy(run: Run, name: str, point: RecoveryPoint, *, state: InstanceState) -> Instance:
    """Take name and ports for an instance that is made from a recovery point."""
    record = run.memory["base"]["record"] if run.memory.get("base") else point.record
    wanted = {
        "name": name,
        "product": record["product"],
        "release": record["release"],
        "settings": record["settings"],
        "port": run.operation.parameters.get("port"),
        "address": run.operation.parameters.get("address"),
        "known_domain": record.get("domain"),
    }
    instance = reserve_instance(run, wanted, state=state)
    run.remember(restored_point=point.id)
    role = "scratch" if state == InstanceState.SCRATCH else "production"
    decide_on_release(run, instance, instance.release, follows=False, apart=bool(run.memory.get("base")), role=role)
    return instance
