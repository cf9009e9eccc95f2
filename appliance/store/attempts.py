"""How many attempts to log in have failed lately, by where they came from; a restart forgets none."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance.domain.attempts import Attempt, Limit
from appliance.store.database import Database
from appliance.store.models import AttemptsRow

MOST = 10_000
"""Places that are remembered. Beyond it the ones with the fewest failures, and of these the oldest, are forgotten."""


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """Failures of a place at a door, since the first of them."""

    database: Database

    def count(self, place: str, door: str, *, limit: Limit, now: datetime) -> Attempt:
        """Count one as failed, of many at once each; beyond the limit nothing is counted any more until the first is old enough."""
        with self.database.writing() as session:
            row = session.get(AttemptsRow, (place, door))
            if row is None or not row.since <= now < row.ends_at:
                _make_room(session, now)
                row = session.merge(AttemptsRow(place=place, door=door, failures=0, since=now, ends_at=now + limit.within))
            if row.failures >= limit.failures:
                return Attempt(ends_at=row.ends_at)
            row.failures += 1
            return Attempt(is_last=row.failures == limit.failures)

    def give_back(self, place: str, door: str) -> None:
        """One that was counted has not failed."""
        with self.database.writing() as session:
            row = session.get(AttemptsRow, (place, door))
            if row is not None and row.failures > 0:
                row.failures -= 1


def _make_room(session: Session, now: datetime) -> None:
    session.execute(delete(AttemptsRow).where(AttemptsRow.ends_at <= now))
    if (session.scalar(select(func.count()).select_from(AttemptsRow)) or 0) >= MOST:
        fewest = select(AttemptsRow).order_by(AttemptsRow.failures, AttemptsRow.since).limit(1)
        for row in session.scalars(fewest):
            session.delete(row)
        session.flush()
