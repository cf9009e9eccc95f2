"""What needs attention and was put out of sight for a while."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from appliance.domain.snooze import Snooze
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import SnoozeRow


@dataclass(frozen=True, kw_only=True)
class Snoozes:
    """Those that last."""

    database: Database

    def lasting(self, now: datetime) -> dict[str, Snooze]:
        """By what they put out of sight."""
        query = select(SnoozeRow).where(SnoozeRow.until > now)
        with self.database.reading() as session:
            return {row.key: Snooze(key=row.key, until=row.until, by=row.by, at=row.at) for row in session.scalars(query)}

    def put(self, snooze: Snooze, *, subject: str) -> None:
        """Begin one in place of the one before; those that are over are forgotten."""
        with self.database.writing() as session:
            session.execute(delete(SnoozeRow).where(SnoozeRow.until <= snooze.at))
            session.merge(SnoozeRow(**vars(snooze)))
            detail = {"key": snooze.key, "until": snooze.until.isoformat()}
            append_entry(session, at=snooze.at, actor=snooze.by, action="snooze", subject=subject, detail=detail)

    def end(self, key: str, *, by: str, now: datetime) -> None:
        """End one. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(SnoozeRow, key)
            if row is None or row.until <= now:
                raise NotFound("This is not snoozed. Nothing was changed.")
            session.delete(row)
            append_entry(session, at=now, actor=by, action="wake", subject=key.partition(".")[0], detail={"key": key})
