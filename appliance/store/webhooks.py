"""Where programs are told what happens, and the messages for them: a queue that outlives every process."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from appliance.domain.webhook import TEST, Delivery, DeliveryStatus, Webhook, pause_after
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.columns import moment_text
from appliance.store.database import Database
from appliance.store.models import DeliveryRow, EventRow, WebhookRow

KEPT_FOR = timedelta(days=30)
TEST_PATIENCE = timedelta(minutes=1)
"""For so long a test is left to the one who asked for it, before the queue takes it up."""
BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Every webhook and its messages. Whoever changes one is written into the audit."""

    database: Database

    def list(self) -> list[Webhook]:
        """By name."""
        with self.database.reading() as session:
            return [_webhook(row) for row in session.scalars(select(WebhookRow).order_by(WebhookRow.name))]

    def get(self, name: str) -> Webhook:
        """Raises NotFound."""
        with self.database.reading() as session:
            return _webhook(_row(session, name))

    def add(self, name: str, url: str, events: tuple[str, ...], *, by: str, now: datetime) -> Webhook:
        """Keep one, whose name was found to be free; it is told of what happens from now on."""
        with self.database.writing() as session:
            newest = session.scalar(select(func.max(EventRow.id))) or 0
            row = WebhookRow(name=name, url=url, events=[*events], created_at=now, queued_up_to=newest)
            session.add(row)
            append_entry(session, at=now, actor=by, action="add webhook", subject=name, detail={"url": url, "events": [*events]})
            return _webhook(row)

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Forget it and its messages. Raises NotFound."""
        with self.database.writing() as session:
            session.delete(_row(session, name))
            append_entry(session, at=now, actor=by, action="remove webhook", subject=name, detail={})

    def queue(self) -> None:
        """Write the messages that events since the last time make; each event once for each webhook that is told of it."""
        with self.database.reading() as session:
            newest = session.scalar(select(func.max(EventRow.id))) or 0
            behind = list(session.scalars(select(WebhookRow.name).where(WebhookRow.queued_up_to < newest)))
        for name in behind:
            with self.database.writing() as session:
                _queue(session, session.get(WebhookRow, name))

    def queue_test(self, name: str, *, by: str, now: datetime) -> Delivery:
        """Write a message that says it is a test. Raises NotFound."""
        with self.database.writing() as session:
            _row(session, name)
            append_entry(session, at=now, actor=by, action="test webhook", subject=name, detail={})
            row = _message(name, TEST, {"webhook": name, "requested_by": by}, at=now, try_at=now + TEST_PATIENCE)
            session.add(row)
            session.flush()
            return _delivery(row)

    def due(self, name: str, now: datetime, *, limit: int = 100) -> Sequence[Delivery]:
        """Messages of a webhook whose time has come, the oldest first; another one's are not kept waiting by how many they are."""
        query = select(DeliveryRow).where(DeliveryRow.webhook == name, DeliveryRow.try_at <= now).order_by(DeliveryRow.id).limit(limit)
        with self.database.reading() as session:
            return [_delivery(row) for row in session.scalars(query)]

    def note(self, delivery_id: int, problem: str, *, now: datetime) -> None:
        """Write how an attempt went; no problem is success. A message whose webhook was removed meanwhile is none any more."""
        with self.database.writing() as session:
            if (row := session.get(DeliveryRow, delivery_id)) is None:
                return
            row.attempts, row.tried_at, row.note = row.attempts + 1, now, problem or "delivered"
            pause = pause_after(row.attempts) if problem else None
            row.try_at = None if pause is None else now + pause
            row.status = DeliveryStatus.DELIVERED if not problem else DeliveryStatus.FAILED if pause is None else DeliveryStatus.WAITING

    def deliveries(self, name: str, *, before: int | None = None, limit: int = 50) -> Sequence[Delivery]:
        """The messages of a webhook, newest first; `before` is the id to go on below. Raises NotFound."""
        query = select(DeliveryRow).where(DeliveryRow.webhook == name).order_by(DeliveryRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(DeliveryRow.id < before)
        with self.database.reading() as session:
            _row(session, name)
            return [_delivery(row) for row in session.scalars(query)]

    def delivery(self, delivery_id: int) -> Delivery:
        """One message. Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(DeliveryRow, delivery_id)
        if row is None:
            raise NotFound(f"There is no message {delivery_id}.")
        return _delivery(row)

    def forget_old(self, now: datetime) -> None:
        """Remove messages that were delivered or given up long ago."""
        is_old = (DeliveryRow.at <= now - KEPT_FOR, DeliveryRow.try_at.is_(None))
        with self.database.reading() as session:
            if session.scalar(select(DeliveryRow.id).where(*is_old).limit(1)) is None:
                return
        with self.database.writing() as session:
            session.execute(delete(DeliveryRow).where(*is_old))


def _queue(session: Session, webhook: WebhookRow | None) -> None:
    if webhook is None:  # removed meanwhile
        return
    query = select(EventRow).where(EventRow.id > webhook.queued_up_to).order_by(EventRow.id).limit(BATCH)
    for event in session.scalars(query):
        if event.type in webhook.events:
            session.add(_message(webhook.name, event.type, {**event.data, "event": event.id}, at=event.at, try_at=event.at))
        webhook.queued_up_to = event.id


def _message(webhook: str, kind: str, data: dict[str, Any], *, at: datetime, try_at: datetime) -> DeliveryRow:
    body = json.dumps({"type": kind, "timestamp": moment_text(at), "data": data}, separators=(",", ":"))
    waiting = {"status": DeliveryStatus.WAITING, "attempts": 0, "tried_at": None, "try_at": try_at, "note": ""}
    return DeliveryRow(webhook=webhook, message=f"msg_{secrets.token_hex(16)}", type=kind, at=at, body=body, **waiting)


def _row(session: Session, name: str) -> WebhookRow:
    row = session.get(WebhookRow, name)
    if row is None:
        raise NotFound(f"There is no webhook {name!r}. `appliance webhook list` names them.")
    return row


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(name=row.name, url=row.url, events=tuple(row.events), created_at=row.created_at, queued_up_to=row.queued_up_to)


def _delivery(row: DeliveryRow) -> Delivery:
    known = {column.name: getattr(row, column.name) for column in DeliveryRow.__table__.columns}
    return Delivery(**known | {"status": DeliveryStatus(row.status)})
