"""The notices of the status page."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from appliance.domain.notice import Notice
from appliance.errors import NotFound
from appliance.store.database import Database
from appliance.store.models import AuditRow, NoticeRow


@dataclass(frozen=True, kw_only=True)
class Notices:
    """What the users of CRMs are told."""

    database: Database

    def list(self, instance: str | None = None, *, since: datetime | None = None, limit: int = 100) -> list[Notice]:
        """Those of one CRM or of all, newest first."""
        query = select(NoticeRow).order_by(NoticeRow.at.desc(), NoticeRow.id.desc()).limit(limit)
        if instance is not None:
            query = query.where(NoticeRow.instance == instance)
        if since is not None:
            query = query.where(NoticeRow.at >= since)
        with self.database.reading() as session:
            return [Notice(id=row.id, instance=row.instance, at=row.at, by=row.by, text=row.text) for row in session.scalars(query)]

    def add(self, instance: str, text: str, *, by: str, now: datetime) -> int:
        """Keep one; gives its number."""
        with self.database.writing() as session:
            row = NoticeRow(instance=instance, at=now, by=by, text=text)
            session.add_all([row, AuditRow(at=now, actor=by, action="add notice", subject=instance, detail={"text": text})])
            session.flush()
            return row.id

    def remove(self, notice_id: int, *, by: str, now: datetime) -> None:
        """Take one back. Raises NotFound."""
        with self.database.writing() as session:
            row = session.get(NoticeRow, notice_id)
            if row is None:
                raise NotFound(f"There is no notice {notice_id}. Nothing was changed.")
            session.add(AuditRow(at=now, actor=by, action="remove notice", subject=row.instance, detail={"text": row.text}))
            session.execute(delete(NoticeRow).where(NoticeRow.id == notice_id))
