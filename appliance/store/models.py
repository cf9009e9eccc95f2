"""The tables."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, MetaData, Text, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from appliance.store.columns import Moment

UNFINISHED = "status IN ('queued', 'running', 'needs_attention')"


class Base(DeclarativeBase):
    """All tables; constraints get names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON, datetime: Moment}  # noqa: RUF012 - SQLAlchemy reads it from the class


class OperationRow(Base):
    """An operation. The partial unique index is the lock: an instance has at most one unfinished operation."""

    __tablename__ = "operations"
    __table_args__ = (Index("one_operation_per_instance", "instance", unique=True, sqlite_where=text(UNFINISHED)),)

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


class HostRow(Base):
    """A machine that instances run on. `host_key` is what an administrator confirmed; its private key is a secret."""

    __tablename__ = "hosts"

    name: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str]
    port: Mapped[int]
    user: Mapped[str]
    host_key: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str]
    facts: Mapped[dict[str, Any]]
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    policy: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class InstanceRow(Base):
    """One CRM deployment."""

    __tablename__ = "instances"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(default="localhost")
    product: Mapped[str]
    release: Mapped[str]
    series: Mapped[str]
    state: Mapped[str]
    slot: Mapped[int] = mapped_column(unique=True)
    address: Mapped[str]
    port: Mapped[int]
    domain: Mapped[str]
    tls: Mapped[dict[str, Any]] = mapped_column(server_default='{"mode": "none"}')
    settings: Mapped[dict[str, Any]]
    deployment: Mapped[dict[str, Any] | None]
    previous: Mapped[dict[str, Any] | None]
    archive: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    asks_approval: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_public: Mapped[bool] = mapped_column(default=False, server_default=false())
    rpo_seconds: Mapped[int | None]
    rto_seconds: Mapped[int | None]
    availability_ratio: Mapped[float | None]
    latency_seconds: Mapped[float | None]
    latency_ratio: Mapped[float | None]


class NoticeRow(Base):
    """What the users of a CRM are told on the status page."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    text: Mapped[str]


class PointRow(Base):
    """A recovery point; without `proven_at` it is unproven."""

    __tablename__ = "recovery_points"

    id: Mapped[str] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    repository: Mapped[str]
    record: Mapped[dict[str, Any]]
    proven_at: Mapped[datetime | None]
    proof: Mapped[dict[str, Any] | None]


class RepositoryRow(Base):
    """A second place for recovery points."""

    __tablename__ = "repositories"

    name: Mapped[str] = mapped_column(primary_key=True)
    location: Mapped[str]
    created_at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime | None]
    works: Mapped[bool | None]
    state_kept_at: Mapped[datetime | None]
    kit_proven_at: Mapped[datetime | None]
    retention: Mapped[dict[str, Any] | None]


class ChannelRow(Base):
    """Where people are notified; its address is a secret."""

    __tablename__ = "channels"

    name: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    service: Mapped[str]
    created_at: Mapped[datetime]
    severities: Mapped[list[str]] = mapped_column(JSON)
    crms: Mapped[list[str]] = mapped_column(JSON)
    quiet: Mapped[dict[str, Any] | None]
    told: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime | None]
    sent: Mapped[int]
    failed: Mapped[int]
    failures: Mapped[int]
    try_at: Mapped[datetime | None]


class SecretRow(Base):
    """A secret, encrypted with the appliance's key."""

    __tablename__ = "secrets"

    scope: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)


class UserRow(Base):
    """Somebody who may log in."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    must_change: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SessionRow(Base):
    """A browser that is logged in; only the hash of its token is kept."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    csrf: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class TokenRow(Base):
    """A bearer token of the API; only its hash is kept."""

    __tablename__ = "tokens"

    name: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class AuditRow(Base):
    """Who did what, when."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]


class PendingRow(Base):
    """What was pending for an instance or a host when it was asked last."""

    __tablename__ = "pending"

    subject: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]]


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
    """Something that is on for the whole appliance: by whom, since when. What is off has no row."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    by: Mapped[str]
