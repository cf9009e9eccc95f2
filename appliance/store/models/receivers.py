"""Whom the appliance tells what happens."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Base


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
    weekly: Mapped[bool] = mapped_column(default=False, server_default=false())
    weekly_at: Mapped[datetime | None]
    told: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime | None]
    sent: Mapped[int]
    failed: Mapped[int]
    failures: Mapped[int]
    try_at: Mapped[datetime | None]


class WebhookRow(Base):
    """Where programs are told what happens; the secret is in the vault. Events up to `queued_up_to` have their deliveries."""

    __tablename__ = "webhooks"

    name: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    queued_up_to: Mapped[int]


class DeliveryRow(Base):
    """A message for a webhook: waiting until `try_at`, delivered, or given up."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhooks.name", ondelete="CASCADE"), index=True)
    message: Mapped[str]
    type: Mapped[str]
    at: Mapped[datetime]
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str]
    attempts: Mapped[int]
    tried_at: Mapped[datetime | None]
    try_at: Mapped[datetime | None] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(Text)
