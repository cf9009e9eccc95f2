"""The logs of operations that ended long ago: which they are, and how they make room."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, func, select

from appliance.domain.operation import OperationStatus
from appliance.store.database import Database
from appliance.store.models import LogRow, OperationRow

CLEARED = "cleared"
"""Stands where a line names its step; no step is called so."""
ENDED = tuple(status for status in OperationStatus if status.is_final)


@dataclass(frozen=True, kw_only=True)
class OldLogs:
    """What may be cleared of the journal; the operations themselves and their steps stay."""

    database: Database

    def find(self, *, ended_before: datetime, newest: int, limit: int) -> list[int]:
        """The oldest operations that ended before that moment, are not among the newest of their instance, and still have their log."""
        rank = func.row_number().over(partition_by=OperationRow.instance, order_by=OperationRow.id.desc())
        ranked = select(OperationRow.id, OperationRow.status, OperationRow.finished_at, rank.label("rank")).subquery()
        has_log = exists().where(LogRow.operation_id == ranked.c.id, LogRow.step.is_distinct_from(CLEARED))
        query = select(ranked.c.id).where(ranked.c.rank > newest, ranked.c.status.in_(ENDED), ranked.c.finished_at < ended_before, has_log)
        with self.database.reading() as session:
            return list(session.scalars(query.order_by(ranked.c.id).limit(limit)))

    def clear(self, operation_id: int, text: str, *, now: datetime) -> None:
        """Replace the log of an operation by one line that says so; both or neither."""
        with self.database.writing() as session:
            session.execute(delete(LogRow).where(LogRow.operation_id == operation_id))
            session.add(LogRow(operation_id=operation_id, at=now, step=CLEARED, text=text))
