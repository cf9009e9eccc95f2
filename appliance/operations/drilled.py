"""What drills have shown: how long it took to be back in service, and how old the data was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from appliance.domain.operation import Operation, OperationStatus
from appliance.store import Store

MOST = 100
ENDED = [status for status in OperationStatus if status.is_final]


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One that has ended, `at`. `way` is what was proven, dump or log; `repository` where it was read, empty for the host's own.

    Without a proof, `took` and `data_age` are not known.
    """

    operation: Operation
    at: datetime
    way: str
    repository: str
    took: timedelta | None
    data_age: timedelta | None


def drills_of(store: Store, instance: str | None, *, before: int | None = None, limit: int = MOST) -> list[Drill]:
    """Of an instance, or of all of them; newest first. `before` is the number of the operation to go on below."""
    found = store.operations.list(instance=instance, kind="drill", status=ENDED, before=before, limit=limit)
    memories = store.operations.memories([one.id for one in found])
    return [_drill(one, memories[one.id].get("facts", {})) for one in found]


def _drill(operation: Operation, facts: Mapping[str, Any]) -> Drill:
    return Drill(
        operation=operation,
        at=operation.finished_at or operation.requested_at,
        way=str(operation.parameters.get("way") or "dump"),
        repository=str(operation.parameters.get("repository") or ""),
        took=_length(facts.get("rto_seconds")),
        data_age=_length(facts.get("data_age_seconds")),
    )


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))
