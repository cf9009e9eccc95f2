"""What drills have shown: how long it took to be back in service, and how old the data was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.operation import Operation
from appliance.store import Store

MOST = 100


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


def drills_of(store: Store, instance: str | None) -> list[Drill]:
    """Of an instance, or of all of them; newest first."""
    found = store.operations.list(instance=instance, kind="drill", limit=MOST)
    return [_drill(store, one) for one in found if one.status.is_final and one.finished_at]


def _drill(store: Store, operation: Operation) -> Drill:
    facts = store.operations.memory(operation.id).get("facts", {})
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
