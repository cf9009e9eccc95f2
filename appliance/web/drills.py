"""What drills have shown: how long it took to be back in service, and how old the data was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.instance import Instance
from appliance.domain.measures import duration
from appliance.domain.operation import Operation, OperationStatus
from appliance.store import Store
from appliance.web.charts import Bar, bars
from appliance.web.formats import exact

MOST = 100


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One that has ended. Without a proof, `took` and `data_age` are not known."""

    operation: Operation
    at: datetime
    way: str
    repository: str
    took: timedelta | None
    data_age: timedelta | None


def drills_of(store: Store, instance: str) -> list[Drill]:
    """Newest first."""
    ended = [one for one in store.operations.list(instance=instance, kind="drill", limit=MOST) if one.status.is_final and one.finished_at]
    return [_drill(store, operation) for operation in ended]


def chart_of(drills: list[Drill], instance: Instance) -> list[Bar]:
    """How long each took, oldest first; red where it failed or took longer than is promised."""
    values = []
    for drill in reversed(drills):
        late = drill.took is not None and instance.objectives.is_too_long(drill.took)
        failed = drill.operation.status != OperationStatus.SUCCEEDED
        told = f"{exact(drill.at)}: {'failed' if failed or drill.took is None else duration(drill.took)}"
        values.append((drill.took.total_seconds() if drill.took else 0.0, told, "missed" if failed or late else ""))
    return bars(values)


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
