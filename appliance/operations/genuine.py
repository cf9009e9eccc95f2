"""Which recovery points elsewhere the appliance has made: whoever can add there can add others, so that the real ones look superfluous."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.domain.instance import RecoveryPoint
from appliance.errors import Conflict, NotFound
from appliance.wiring import Appliance

POINT_ID = re.compile(r"(?P<began>[0-9]{8}T[0-9]{6}Z)-(?P<operation>[0-9]{1,12})(-.+)?")
LONGEST_BACKUP = timedelta(days=1)


def genuine(appliance: Appliance, instance: str, repository: str, records: Sequence[Mapping[str, Any]]) -> list[RecoveryPoint]:
    """The points of an instance that are known, or that the journal says were made. Others are passed over.

    Raises Conflict where a point is there twice, or says that it is of another time than it was made at.
    """
    known = {point.id: point for point in appliance.store.points.list(instance)}
    names = [str(record["id"]) for record in records]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Conflict(f"Recovery point {twice[0]} is in {repository} twice: one of them was added by somebody else. Nothing was given up.")
    found = (_genuine(appliance, instance, repository, record, known.get(str(record["id"]))) for record in records)
    return [point for point in found if point is not None]


def _genuine(
    appliance: Appliance, instance: str, repository: str, record: Mapping[str, Any], known: RecoveryPoint | None
) -> RecoveryPoint | None:
    if known is not None:
        return replace(known, repository=repository)
    name, at = str(record["id"]), datetime.fromisoformat(record["at"])
    began = _began(appliance, instance, name)
    if began is None:
        return None
    if not began - LONGEST_BACKUP <= at <= began + LONGEST_BACKUP:
        raise Conflict(f"Recovery point {name} in {repository} says that it is of {at:%Y-%m-%d %H:%M} UTC. Nothing was given up.")
    return RecoveryPoint(id=name, instance=instance, at=at, repository=repository, record=record)


def _began(appliance: Appliance, instance: str, name: str) -> datetime | None:
    """When the operation that made a point began to, if the journal knows of it."""
    read = POINT_ID.fullmatch(name)
    if read is None:
        return None
    try:
        operation = appliance.store.operations.get(int(read["operation"]))
    except NotFound:
        return None
    memory = appliance.store.operations.memory(operation.id)
    parts = [memory, *(part for part in memory.values() if isinstance(part, dict))]
    if instance not in (operation.instance, read[3] and read[3].removeprefix("-")) or not any(name in part.values() for part in parts):
        return None
    return datetime.strptime(read["began"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
