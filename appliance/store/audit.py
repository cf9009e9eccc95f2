"""The audit: what somebody did is added at its end, and nothing else can be done to it."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, String, select, type_coerce
from sqlalchemy.orm import Session

from appliance.domain.audit import BEGINNING, AuditEntry, AuditHead, AuditProof, hash_of, prove
from appliance.store.columns import moment_text
from appliance.store.database import Database
from appliance.store.models import AuditRow

BATCH = 1000
"""Entries that are read at once, so that nobody waits long behind a reader."""


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries are asked for; what is empty narrows nothing."""

    actor: str = ""
    subject: str = ""
    action: str = ""
    since: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for a query."""
        pairs = ((AuditRow.actor, self.actor), (AuditRow.subject, self.subject), (AuditRow.action, self.action))
        told = [column == wanted for column, wanted in pairs if wanted]
        return told if self.since is None else [*told, AuditRow.at >= self.since]


ALL = AuditFilter()


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Who did what, when."""

    database: Database

    def list(self, wanted: AuditFilter = ALL, *, limit: int = 50, before: int | None = None) -> list[AuditEntry]:
        """Newest first; `before` is the number to go on below."""
        query = select(AuditRow).where(*wanted.conditions()).order_by(AuditRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.id < before)
        with self.database.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def export(self, wanted: AuditFilter = ALL) -> Iterator[dict[str, Any]]:
        """Everything that each entry says, oldest first, as it is kept."""
        after, rows = 0, True
        while rows:
            with self.database.reading() as session:
                found = session.execute(_AS_KEPT.where(AuditRow.id > after, *wanted.conditions())).mappings().all()
            yield from map(_said, found)
            after, rows = (found[-1]["number"], len(found) == BATCH) if found else (after, False)

    def prove(self, *, head: str = "") -> AuditProof:
        """Look at every entry; with `head`, a hash that was noted earlier, that one has to be among them."""
        return prove(self.export(), head=head)

    def head(self) -> AuditHead:
        """How far the audit goes."""
        with self.database.reading() as session:
            return _head(session)

    def holds(self, noted: AuditHead) -> bool:
        """Whether it goes on from a head that was noted earlier."""
        if noted.entries == 0:
            return True
        with self.database.reading() as session:
            return session.scalar(select(AuditRow.hash).where(AuditRow.id == noted.entries)) == noted.hash


_AS_KEPT = (
    select(
        AuditRow.id.label("number"),
        type_coerce(AuditRow.at, String).label("at"),
        AuditRow.actor,
        AuditRow.action,
        AuditRow.subject,
        type_coerce(AuditRow.detail, String).label("detail"),
        AuditRow.previous,
        AuditRow.hash,
    )
    .order_by(AuditRow.id)
    .limit(BATCH)
)
"""Not turned into moments and objects: an entry that was tampered with may hold anything."""


def append_entry(session: Session, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add an entry in a writing session: with what it is about, or not at all. The write lock lets nobody else add one meanwhile."""
    head = _head(session)
    kept = json.loads(json.dumps(detail))
    said = {"number": head.entries + 1, "at": moment_text(at), "actor": actor, "action": action, "subject": subject, "detail": kept}
    hashed = hash_of(said | {"previous": head.hash})
    row = AuditRow(id=head.entries + 1, at=at, actor=actor, action=action, subject=subject, detail=kept, previous=head.hash, hash=hashed)
    session.add(row)
    session.flush()


def _head(session: Session) -> AuditHead:
    newest = session.execute(select(AuditRow.id, AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)).first()
    return AuditHead(entries=0, hash=BEGINNING) if newest is None else AuditHead(entries=newest.id, hash=newest.hash)


def _said(row: RowMapping) -> dict[str, Any]:
    said = dict(row)
    with contextlib.suppress(TypeError, ValueError):  # otherwise nothing that the appliance has written: its hash does not fit
        said["detail"] = json.loads(said["detail"])
    return {str(name): value for name, value in said.items()}


def _entry(row: AuditRow) -> AuditEntry:
    said = {name: getattr(row, name) for name in ("at", "actor", "action", "subject", "detail", "previous", "hash")}
    return AuditEntry(number=row.id, **said)
