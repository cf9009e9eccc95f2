"""The notices of the status page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import delete, select, tuple_

from appliance.domain.notice import Notice
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import NoticeRow


@dataclass(frozen=True, kw_only=True)
class Notices:
    """What the users of CRMs are told."""

    database: Database

    def list(
        self,
        instance: str | None = None,
        *,
        since: datetime | None = None,
        below: tuple[datetime, int] | None = None,
        limit: int = 100,
    ) -> list[Notice]:
        """Those of one CRM or of all, newest first; `below` is the moment and number to go on below."""
        query = select(NoticeRow).order_by(NoticeRow.at.desc(), NoticeRow.id.desc()).limit(limit)
        if instance is not None:
            query = query.where(NoticeRow.instance == instance)
        if since is not None:
            query = query.where(NoticeRow.at >= since)
        if below is not None:
            query = query.where(tuple_(NoticeRow.at, NoticeRow.id) < below)
        with self.database.reading() as session:
            return [_notice(row) for row in session.scalars(query)]

    def of_each(self, instances: Collection[str], *, since: datetime) -> dict[str, Sequence[Notice]]:
        """Those of these CRMs by their names, newest first."""
        query = select(NoticeRow).where(NoticeRow.instance.in_(instances), NoticeRow.at >= since)
        with self.database.reading() as session:
            rows = session.scalars(query.order_by(NoticeRow.instance, NoticeRow.at.desc(), NoticeRow.id.desc()))
            return {name: [_notice(row) for row in of_one] for name, of_one in groupby(rows, key=lambda row: row.instance)}

    def add(self, instance: str, text: str, *, outage_at: datetime | None = None, by: str, now: datetime) -> Notice:
        """Keep one; gives it with its number."""
        with self.database.writing() as session:
            row = NoticeRow(instance=instance, at=now, by=by, text=text, outage_at=outage_at)
            session.add(row)
            append_entry(session, at=now, actor=by, action="add notice", subject=instance, detail={"text": text})
            session.flush()
            return _notice(row)

    def remove(self, notice_id: int, *, by: str, now: datetime) -> None:
        """Take one back. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(NoticeRow, notice_id)
            if row is None:
                raise NotFound(f"There is no notice {notice_id}. Nothing was changed.")
            append_entry(session, at=now, actor=by, action="remove notice", subject=row.instance, detail={"text": row.text})
            session.execute(delete(NoticeRow).where(NoticeRow.id == notice_id))


def _notice(row: NoticeRow) -> Notice:
    return Notice(id=row.id, instance=row.instance, at=row.at, by=row.by, text=row.text, outage_at=row.outage_at)
