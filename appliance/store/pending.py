"""What was pending when it was asked last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from appliance.domain.pending import Pending
from appliance.store.database import Database
from appliance.store.models import PendingRow

ADAPTER = TypeAdapter(Pending)


@dataclass(frozen=True, kw_only=True)
class PendingAnswers:
    """The last answer for each subject."""

    database: Database

    def list(self, *, after: str = "", limit: int | None = None) -> list[Pending]:
        """By subject, those whose subject comes `after`: hosts among the instances."""
        query = select(PendingRow).where(PendingRow.subject > after).order_by(PendingRow.subject).limit(limit)
        with self.database.reading() as session:
            return [_pending(row) for row in session.scalars(query)]

    def some(self, subjects: Collection[str]) -> Sequence[Pending]:
        """The last answers for these subjects."""
        query = select(PendingRow.answer).where(PendingRow.subject.in_(subjects)).order_by(PendingRow.subject)
        with self.database.reading() as session:
            return [ADAPTER.validate_python(answer) for answer in session.scalars(query)]

    def find(self, subject: str) -> Pending | None:
        """The last answer for a subject, if it was ever asked."""
        with self.database.reading() as session:
            row = session.get(PendingRow, subject)
        return None if row is None else _pending(row)

    def put(self, pending: Pending) -> None:
        """Write an answer down in place of the one before."""
        answer = ADAPTER.dump_python(pending, mode="json")
        with self.database.writing() as session:
            session.merge(PendingRow(subject=pending.subject, asked_at=pending.asked_at, answer=answer))

    def keep_only(self, subjects: set[str]) -> None:
        """Forget what is not there any more."""
        with self.database.writing() as session:
            session.execute(delete(PendingRow).where(PendingRow.subject.not_in(subjects)))


def _pending(row: PendingRow) -> Pending:
    return ADAPTER.validate_python(row.answer)
