"""Hosts, CRMs, and what is known and kept of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Computed, Index, Text, false, true
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Base


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
    measures_adoption: Mapped[bool] = mapped_column(default=True, server_default=true())
    rpo_seconds: Mapped[int | None]
    rto_seconds: Mapped[int | None]
    availability_ratio: Mapped[float | None]
    latency_seconds: Mapped[float | None]
    latency_ratio: Mapped[float | None]
    closed: Mapped[dict[str, Any] | None]


class NoticeRow(Base):
    """What the users of a CRM are told on the status page."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    by: Mapped[str]
    text: Mapped[str]
    outage_at: Mapped[datetime | None]


class SnoozeRow(Base):
    """What needs attention and is out of sight until then."""

    __tablename__ = "snoozes"

    key: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime]
    by: Mapped[str]
    at: Mapped[datetime]


class PendingRow(Base):
    """What was pending for an instance or a host when it was asked last."""

    __tablename__ = "pending"

    subject: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]]


class AdoptionRow(Base):
    """How much an instance is worked with, as its database has answered last."""

    __tablename__ = "adoption"

    instance: Mapped[str] = mapped_column(primary_key=True)
    tried_at: Mapped[datetime]
    answer: Mapped[dict[str, Any]]


class PointRow(Base):
    """A recovery point; without `proven_at` it is unproven."""

    __tablename__ = "recovery_points"
    __table_args__ = (
        Index("points_of_an_instance", "instance", "at", "id"),
        Index("proofs_of_an_instance", "instance", "proven_at", "at", "measured_rto_seconds"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    instance: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime]
    repository: Mapped[str]
    record: Mapped[dict[str, Any]]
    proven_at: Mapped[datetime | None]
    proof: Mapped[dict[str, Any] | None]
    measured_rto_seconds: Mapped[float | None] = mapped_column(Computed("json_extract(proof, '$.rto_seconds')", persisted=False))


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
    credentials_at: Mapped[datetime | None]
