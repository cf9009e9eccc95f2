"""What has happened: written with what it tells of, or not at all; read from where a reader was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance.domain.event import HEALTH, KEPT_FOR, Event
from appliance.store.database import Database
from appliance.store.models import EventRow, OperationRow


@dataclass(frozen=True, kw_only=True)
class Events:
    """Everything that has happened of late."""

    database: Database

    def list(self, *, after: int, limit: int = 100) -> list[Event]:
        """Those with an id above `after`, oldest first."""
        query = select(EventRow).where(EventRow.id > after).order_by(EventRow.id).limit(limit)
        with self.database.reading() as session:
            return [_event(row) for row in session.scalars(query)]

    def newest(self) -> int:
        """The id of the newest; 0 if there is none."""
        with self.database.reading() as session:
            return session.scalar(select(func.max(EventRow.id))) or 0

    def oldest(self) -> int | None:
        """The id of the oldest that is kept still, or None."""
        with self.database.reading() as session:
            return session.scalar(select(func.min(EventRow.id)))

    def healths(self) -> dict[str, str]:
        """How each CRM was found when that was told last; without those of which it never was."""
        last = select(func.max(EventRow.id)).where(EventRow.type == HEALTH).group_by(EventRow.subject)
        with self.database.reading() as session:
            rows = session.execute(select(EventRow.subject, EventRow.data).where(EventRow.id.in_(last)))
            return {subject: str(data.get("health", "")) for subject, data in rows}

    def tell_health(self, instance: str, health: str, reason: str, *, now: datetime) -> None:
        """Write that a CRM is found otherwise than before."""
        with self.database.writing() as session:
            append_event(session, HEALTH, instance, {"instance": instance, "health": health, "reason": reason}, at=now)

    def forget_old(self, now: datetime) -> None:
        """Remove what was kept long enough; its ids are not given again."""
        is_old = EventRow.at <= now - KEPT_FOR
        with self.database.reading() as session:
            if session.scalar(select(EventRow.id).where(is_old).limit(1)) is None:
                return  # the write lock is taken only for something
        with self.database.writing() as session:
            session.execute(delete(EventRow).where(is_old))


def append_event(session: Session, kind: str, subject: str, data: dict[str, Any], *, at: datetime) -> None:
    """Add an event in a writing session."""
    session.add(EventRow(at=at, type=kind, subject=subject, data=data))


def tell_operation(session: Session, row: OperationRow, *, at: datetime) -> None:
    """Add in a writing session that an operation has come to the state that it is in."""
    data = {
        "operation": row.id,
        "kind": row.kind,
        "instance": row.instance,
        "status": str(row.status),
        "requested_by": row.requested_by,
        "awaits_approval": bool(row.awaits_approval),
        "cause": row.cause,
        "next_action": row.next_action,
    }
    append_event(session, f"operation.{row.status}", row.instance, data, at=at)


def _event(row: EventRow) -> Event:
    return Event(id=row.id, at=row.at, type=row.type, subject=row.subject, data=row.data)
