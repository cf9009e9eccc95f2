"""What was lost with this machine: its CRMs are to come back from a repository elsewhere."""

from collections.abc import Collection
from datetime import datetime

from appliance.domain.host import LOCALHOST, subject_of
from appliance.domain.instance import Instance, InstanceState, RecoveryPoint
from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.requesting import request
from appliance.operations.steps.repositories import LOCAL_REPOSITORY
from appliance.wiring import Appliance

ACTOR = "recovery"
KIND = "restore-beside"
AT_WORK = "The machine was lost while it was at work."
NEXT_ACTION = "Nothing: the CRM is brought back from its newest recovery point elsewhere."


def request_back(appliance: Appliance, repository: str, there: Collection[str], now: datetime) -> list[str]:
    """Ask for every CRM that this machine had, as late as a repository elsewhere goes: by its log, or to its newest recovery point `there`.

    What the repository of this machine held is read from there from now on. Gives the names of CRMs of which nothing is there; they
    stay lost. Nothing may be at work.
    """
    _look_elsewhere(appliance, repository, there)
    appliance.store.instances.forget_copies(LOCALHOST)
    _end_what_was_at_work(appliance, now)
    gone = []
    for instance in [one for one in appliance.store.instances.list() if one.host == LOCALHOST]:
        appliance.store.instances.lose(instance.name)
        if points := appliance.store.points.list(instance.name):
            _request(appliance, instance, points[0], now)
        else:
            gone.append(instance.name)
    return gone


def requested(appliance: Appliance) -> list[Operation]:
    """The newest request for each CRM that was lost and not removed since, in the order in which they were made."""
    operations = [one for one in appliance.store.operations.list(kind=KIND, limit=10_000) if one.requested_by == ACTOR]
    there = {instance.name for instance in appliance.store.instances.list()}
    newest = {one.instance: one for one in sorted(operations, key=lambda each: each.id) if one.instance in there}
    return sorted(newest.values(), key=lambda each: each.id)


def is_back(appliance: Appliance, operation: Operation) -> bool:
    """Whether the CRM of a request serves again, by that request or because somebody brought it back."""
    return operation.status.is_final and appliance.store.instances.get(operation.instance).state is InstanceState.ACTIVE


def ask_again(appliance: Appliance, operation: Operation, now: datetime) -> Operation:
    """One that has ended without its CRM is requested anew."""
    if not operation.status.is_final or operation.status == OperationStatus.SUCCEEDED:
        return operation
    return request(appliance, KIND, operation.instance, operation.parameters, requested_by=ACTOR, now=now)


def ask_for_the_point(appliance: Appliance, operation: Operation, now: datetime) -> Operation | None:
    """Where the log did not lead back, the newest recovery point may; None where that was what failed, or somebody has stopped it."""
    if not operation.status.is_final or operation.status == OperationStatus.CANCELLED or operation.parameters.get("at") is None:
        return None
    wanted = {**operation.parameters, "at": None, "way": None}
    return request(appliance, KIND, operation.instance, wanted, requested_by=ACTOR, now=now)


def keep_every_change_again(appliance: Appliance, name: str, now: datetime) -> Operation | None:
    """Have the log of a CRM that is back received, if it was before."""
    instance, points = appliance.store.instances.get(name), appliance.store.points.list(name)
    if instance.archive is not None or not points or not points[0].is_in_log:
        return None
    return request(appliance, "archive", name, {}, requested_by=ACTOR, now=now)


def _look_elsewhere(appliance: Appliance, repository: str, there: Collection[str]) -> None:
    lost = {point.id for point in appliance.store.points.all() if point.repository == LOCAL_REPOSITORY}
    appliance.store.points.lie_in(repository, lost & set(there))
    appliance.store.points.forget(lost - set(there))


def _end_what_was_at_work(appliance: Appliance, now: datetime) -> None:
    """What was at work on this machine has ended with it, and holds nothing any more."""
    unfinished = [status for status in OperationStatus if not status.is_final]
    names = {one.name for one in appliance.store.instances.list() if one.host == LOCALHOST}
    for operation in appliance.store.operations.list(status=unfinished, limit=10_000):
        if operation.instance in names | {subject_of(LOCALHOST)}:
            appliance.store.operations.finish(operation.id, OperationStatus.FAILED, now=now, cause=AT_WORK, next_action=NEXT_ACTION)


def _request(appliance: Appliance, instance: Instance, point: RecoveryPoint, now: datetime) -> None:
    by_log = {"at": "latest"} if point.is_in_log else {"point": point.id}
    wanted = {
        "source": instance.name,
        **by_log,
        "repository": point.repository,
        "port": instance.port,
        "address": instance.address,
        "host": LOCALHOST,
    }
    request(appliance, KIND, instance.name, wanted, requested_by=ACTOR, now=now)
