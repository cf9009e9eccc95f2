"""Where people are notified."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from appliance.domain.channel import Channel, pause_after
from appliance.errors import NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import ChannelRow

CHANNEL = TypeAdapter(Channel)


@dataclass(frozen=True, kw_only=True)
class Channels:
    """Every channel, with what it was told and how that went. Whoever changes one is written into the audit."""

    database: Database

    def list(self) -> list[Channel]:
        """By name."""
        with self.database.reading() as session:
            return [_channel(row) for row in session.scalars(select(ChannelRow).order_by(ChannelRow.name))]

    def get(self, name: str) -> Channel:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(ChannelRow, name)
        if row is None:
            raise NotFound(f"There is no channel {name!r}. `appliance notification list` names them.")
        return _channel(row)

    def add(self, channel: Channel, *, by: str) -> None:
        """Keep it; its name was found to be free."""
        with self.database.writing() as session:
            session.add(ChannelRow(**_columns(channel)))
            detail = {"service": channel.service, "purpose": channel.purpose.value}
            append_entry(session, at=channel.created_at, actor=by, action="add channel", subject=channel.name, detail=detail)

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Forget it. Raises NotFound."""
        self.get(name)
        with self.database.writing() as session:
            session.execute(delete(ChannelRow).where(ChannelRow.name == name))
            append_entry(session, at=now, actor=by, action="remove channel", subject=name, detail={})

    def note_sent(self, name: str, text: str, *, told: Mapping[str, int], now: datetime, weekly: bool = False) -> None:
        """Write that it was told up to these changes, by severity, or sent its digest. One that was removed meanwhile stays so."""
        with self.database.writing() as session:
            if (row := session.get(ChannelRow, name)) is not None:
                row.told, row.note, row.noted_at = {**row.told, **told}, text, now
                row.sent, row.failures, row.try_at = row.sent + 1, 0, None
                row.weekly_at = now if weekly else row.weekly_at

    def note_failed(self, name: str, text: str, *, now: datetime) -> None:
        """Write that an attempt failed, and when the next one is due."""
        with self.database.writing() as session:
            if (row := session.get(ChannelRow, name)) is not None:
                row.note, row.noted_at, row.failed, row.failures = text, now, row.failed + 1, row.failures + 1
                row.try_at = now + pause_after(row.failures)

    def pass_over(self, name: str, told: Mapping[str, int]) -> None:
        """Write that changes up to these are none that it is told of."""
        with self.database.writing() as session:
            if (row := session.get(ChannelRow, name)) is not None:
                row.told = {**row.told, **told}


def note_new_address(session: Session, name: str, *, service: str, by: str, now: datetime) -> None:
    """Write that a channel leads elsewhere now, where what waits is tried at once. Raises NotFound."""
    row = session.get(ChannelRow, name)
    if row is None:
        raise NotFound(f"There is no channel {name!r}. `appliance notification list` names them.")
    row.service, row.failures, row.try_at = service, 0, None
    append_entry(session, at=now, actor=by, action="replace secret", subject=f"channel {name}", detail={"service": service})


def _columns(channel: Channel) -> dict[str, Any]:
    moments = {"created_at": channel.created_at, "noted_at": channel.noted_at, "try_at": channel.try_at, "weekly_at": channel.weekly_at}
    told: dict[str, Any] = CHANNEL.dump_python(channel, mode="json")
    return told | moments


def _channel(row: ChannelRow) -> Channel:
    return CHANNEL.validate_python({column.name: getattr(row, column.name) for column in ChannelRow.__table__.columns})
