"""What operations log: written while they go on, read from where a reader was, cleared when they ended long ago."""

from collections.abc import Sequence
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
class LogLine:
    """A line of an operation's log; ids grow, so a reader goes on after the last one it has seen."""

    id: int
    at: datetime
    step: str | None
    text: str


_LINES = select(LogRow.id, LogRow.at, LogRow.step, LogRow.text)


@dataclass(frozen=True, kw_only=True)
class Logs:
    """The logs of all operations; clearing one leaves the operation itself and its steps."""

    database: Database

    def add(self, operation_id: int, text: str, *, step: str | None, now: datetime) -> None:
        """Add a line, or several, to the live log."""
        with self.database.writing() as session:
            session.add_all(LogRow(operation_id=operation_id, at=now, step=step, text=line) for line in text.splitlines() or [""])

    def lines(self, operation_id: int, *, after: int = 0, limit: int = 1000) -> Sequence[LogLine]:
        """The lines with an id above `after`, oldest first."""
        query = _LINES.where(LogRow.operation_id == operation_id, LogRow.id > after).order_by(LogRow.id).limit(limit)
        with self.database.reading() as session:
            return [LogLine(id=number, at=at, step=step, text=text) for number, at, step, text in session.execute(query)]

    def newest(self, operation_id: int, limit: int) -> Sequence[LogLine]:
        """So many of the last lines, oldest first."""
        query = _LINES.where(LogRow.operation_id == operation_id).order_by(LogRow.id.desc()).limit(limit)
        with self.database.reading() as session:
            return [LogLine(id=number, at=at, step=step, text=text) for number, at, step, text in session.execute(query)][::-1]

    def count(self, operation_id: int) -> int:
        """How many lines there are."""
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(LogRow).where(LogRow.operation_id == operation_id)).one()

    def find_old(self, *, ended_before: datetime, newest: int, limit: int) -> list[int]:
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
