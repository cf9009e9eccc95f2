"""Operations, what asks for them, and what is told of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.store.models.base import Base

UNFINISHED = "status IN ('queued', 'running', 'needs_attention')"


class OperationRow(Base):
    """An operation. The partial unique index is the lock: an instance has at most one unfinished operation."""

    __tablename__ = "operations"
    __table_args__ = (
        Index("one_operation_per_instance", "instance", unique=True, sqlite_where=text(UNFINISHED)),
        Index("operations_of_a_kind", "kind"),
        Index("operations_of_a_kind_of_an_instance", "instance", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    instance: Mapped[str] = mapped_column(index=True)
    parameters: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(index=True)
    direction: Mapped[str] = mapped_column(default="forward")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cause: Mapped[str | None] = mapped_column(Text)
    refused: Mapped[bool] = mapped_column(default=False)
    next_action: Mapped[str | None] = mapped_column(Text)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[dict[str, Any]] = mapped_column(default=dict)
    awaits_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    approved_by: Mapped[str | None]
    steps: Mapped[list["StepRow"]] = relationship(order_by="StepRow.position", cascade="all, delete-orphan", lazy="selectin")


class StepRow(Base):
    """A step of an operation, known by its name."""

    __tablename__ = "steps"

    operation_id: Mapped[int] = mapped_column(ForeignKey("operations.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    title: Mapped[str]
    status: Mapped[str]
    percent: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    detail: Mapped[str | None] = mapped_column(Text)


class LogRow(Base):
    """A line of an operation's live log."""

    __tablename__ = "log_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    operation_id: Mapped[int] = mapped_column(ForeignKey("operations.id"), index=True)
    at: Mapped[datetime]
    step: Mapped[str | None]
    text: Mapped[str] = mapped_column(Text)


class ShareRow(Base):
    """A link that shows an operation's log; only the hash of its token is kept. What it shows was redacted when it was made."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    operation: Mapped[int] = mapped_column(ForeignKey("operations.id", ondelete="CASCADE"), index=True)
    by: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime]
    shown: Mapped[dict[str, Any]]


class RequestKeyRow(Base):
    """What a request with a key of its own was answered; `digest` says what it asked."""

    __tablename__ = "request_keys"

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)
    answer: Mapped[dict[str, Any]]


class EventRow(Base):
    """What has happened; its id is never given again."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_type_subject", "type", "subject"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    type: Mapped[str]
    subject: Mapped[str]
    data: Mapped[dict[str, Any]]


class ScheduleRow(Base):
    """Unattended work in the windows of its subject."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    window: Mapped[dict[str, Any]]
    catch_up: Mapped[str]
    stop_after: Mapped[int]
    paused: Mapped[bool]
    created_at: Mapped[datetime]
    dealt_with: Mapped[datetime]
    counted_from: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime | None]
    operation: Mapped[int | None]


class SwitchRow(Base):
    """Something that is on for the whole appliance: by whom, since when, why, perhaps until when. What is off has no row."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    by: Mapped[str]
    reason: Mapped[str] = mapped_column(default="", server_default="")
    until: Mapped[datetime | None]
