"""What was done or happened, told by the worker or found by the monitor. Functions here work inside the ledger's transactions."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from monitoring.timeline import Heartbeat


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something was done or happened; `at` is when it ended, `values` are JSON facts."""

    kind: str
    crm: str
    result: str
    at: datetime
    duration_seconds: float | None
    values: Mapping[str, Any]


def write_event(connection: sqlite3.Connection, event: Event) -> None:
    """Adds it to those that are there."""
    connection.execute(
        "INSERT INTO events (kind, crm, result, at_seconds, duration_seconds, facts) VALUES (?, ?, ?, ?, ?, ?)",
        (event.kind, event.crm, event.result, event.at.timestamp(), event.duration_seconds, json.dumps(dict(event.values))),
    )


def is_told(connection: sqlite3.Connection, event: Event, *, by: str) -> bool:
    """Whether one of its kind and CRM is there that has the same value of that name."""
    query = "SELECT 1 FROM events WHERE kind = ? AND crm = ? AND json_extract(facts, '$.' || ?) = ?"
    return connection.execute(query, (event.kind, event.crm, by, event.values[by])).fetchone() is not None


def write_clock_step(connection: sqlite3.Connection, heartbeat: Heartbeat) -> None:
    """Writes down that the wall clock was set, if it was."""
    if heartbeat.step_seconds:
        direction = "forward" if heartbeat.step_seconds > 0 else "backward"
        facts = {"seconds": round(heartbeat.step_seconds, 3)}
        event = Event(kind="clock_step", crm="", result=direction, at=heartbeat.at.wall, duration_seconds=None, values=facts)
        write_event(connection, event)


def event_of(row: sqlite3.Row) -> Event:
    """What a row tells."""
    return Event(
        kind=row["kind"],
        crm=row["crm"],
        result=row["result"],
        at=datetime.fromtimestamp(row["at_seconds"], UTC),
        duration_seconds=row["duration_seconds"],
        values=json.loads(row["facts"]),
    )
