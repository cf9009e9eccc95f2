"""A copy of an instance beside it, made from one of its recovery points."""

from appliance.domain.instance import Instance, InstanceState, RecoveryPoint
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.run import Run
from appliance.operations.steps.deciding import decide_on_release, reserve_instance
from appliance.operations.steps.snapshots import host_of_point
from appliance.wiring import Appliance


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


def newest_of_what_serves(appliance: Appliance, instance: str) -> RecoveryPoint:
    """The newest point of the release that serves: after a rollback there are newer ones, of the release it left. Raises NotFound."""
    release = appliance.store.instances.get(instance).release
    of_release = [point for point in appliance.store.points.list(instance) if point.record["release"] == release]
    if not of_release:
        mend = f"take one with: appliance backup {instance}"
        raise NotFound(f"{instance} has no recovery point of {release}, which it serves now. Nothing was changed; {mend}")
    return of_release[0]


def same_host(point: RecoveryPoint, wanted: str | None) -> str:
    """The host that a point lies on. Raises InvalidRequest when another is wanted."""
    host = host_of_point(point)
    if wanted is not None and wanted != host:
        raise InvalidRequest(f"Recovery point {point.id} lies on the host {host} and is restored there. Nothing was changed.", field="host")
    return host


def reserve_copy(run: Run, name: str, point: RecoveryPoint, *, state: InstanceState) -> Instance:
    """Take name and ports for an instance that is made from a recovery point."""
    wanted = {
        "name": name,
        "product": point.record["product"],
        "release": point.record["release"],
        "settings": point.record["settings"],
        "port": run.operation.parameters.get("port"),
        "known_domain": point.record.get("domain"),
    }
    instance = reserve_instance(run, wanted, state=state)
    run.remember(restored_point=point.id)
    role = "scratch" if state == InstanceState.SCRATCH else "production"
    decide_on_release(run, instance, instance.release, own_files=True, role=role)
    return instance
