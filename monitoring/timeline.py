"""Places observations on the ledger's time axis. Functions here work inside a transaction that the ledger has begun."""

import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from monitoring.clock import Moment
from monitoring.uptime import State

CLOCK_STEP_SECONDS = 2
"""A wall clock that moved this much further or less than CLOCK_BOOTTIME was set, not merely slewed."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A target was in `state` at this moment.

    Time since the target's last observation is believed up to `believed_seconds`; beyond that it becomes unknown.
    The first observation after a start of the monitor is believed only up to `believed_after_start_seconds`, and none over a reboot.
    """

    crm: str
    target: str
    state: State
    at: Moment
    cause: str = ""
    reason: str = ""
    believed_seconds: float
    believed_after_start_seconds: float


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """Where the time axis stands: `position_ms` belongs to the moment `at`. `step_seconds` is how far the wall clock was just set."""

    at: Moment
    position_ms: int
    era: int
    step_seconds: float = 0


def read_heartbeat(connection: sqlite3.Connection) -> Heartbeat | None:
    """The last heartbeat, or None in a new ledger."""
    row = connection.execute("SELECT * FROM heartbeat").fetchone()
    if row is None:
        return None
    wall = datetime.fromtimestamp(row["wall_seconds"], UTC)
    at = Moment(wall=wall, boot_seconds=row["boot_seconds"], boot_id=row["boot_id"])
    return Heartbeat(at=at, position_ms=row["position_ms"], era=row["era"])


def advance(last: Heartbeat | None, now: Moment) -> Heartbeat:
    """The heartbeat of now. Within a boot only CLOCK_BOOTTIME counts; over a reboot the wall clock, but no less than the time since it."""
    if last is None:
        return Heartbeat(at=now, position_ms=round(now.wall.timestamp() * 1000), era=1)
    wall_seconds = (now.wall - last.at.wall).total_seconds()
    if now.boot_id != last.at.boot_id:
        return Heartbeat(at=now, position_ms=last.position_ms + _milliseconds(max(wall_seconds, now.boot_seconds)), era=last.era + 1)
    boot_seconds = now.boot_seconds - last.at.boot_seconds
    step_seconds = wall_seconds - boot_seconds
    stepped = abs(step_seconds) > CLOCK_STEP_SECONDS
    moved_ms = _milliseconds(boot_seconds)
    # What the rounding cut off stays in the clock, so that a million heartbeats are no less exact than one.
    at = replace(now, boot_seconds=last.at.boot_seconds + moved_ms / 1000) if boot_seconds > 0 else now
    return Heartbeat(at=at, position_ms=last.position_ms + moved_ms, era=last.era + stepped, step_seconds=step_seconds if stepped else 0)


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def write_heartbeat(connection: sqlite3.Connection, heartbeat: Heartbeat) -> None:
    """Replaces the one row."""
    at = heartbeat.at
    connection.execute(
        "INSERT OR REPLACE INTO heartbeat VALUES (1, ?, ?, ?, ?, ?)",
        (at.boot_id, at.boot_seconds, at.wall.timestamp(), heartbeat.position_ms, heartbeat.era),
    )


def place(connection: sqlite3.Connection, seen: Observation, heartbeat: Heartbeat, *, first_of_run: bool) -> None:
    """Extends the target's last interval to the observation, or begins a new one: one row per change of state."""
    position_ms = heartbeat.position_ms - _milliseconds(heartbeat.at.boot_seconds - seen.at.boot_seconds)
    last = connection.execute(
        "SELECT * FROM intervals WHERE crm = ? AND target = ? ORDER BY id DESC LIMIT 1", (seen.crm, seen.target)
    ).fetchone()
    if last is None or last["closed"]:
        _begin(connection, seen, max(position_ms, last["end_ms"] if last else 0), heartbeat.era)
        return
    position_ms = max(position_ms, last["end_ms"])
    believed_seconds = seen.believed_after_start_seconds if first_of_run else seen.believed_seconds
    if last["boot_id"] != heartbeat.at.boot_id:
        believed_seconds = 0
    same = last["state"] == seen.state
    if position_ms - last["end_ms"] > believed_seconds * 1000:
        _begin_gap(connection, seen, last, position_ms, heartbeat)
    elif same and last["era"] == heartbeat.era:
        _extend(connection, last["id"], position_ms, seen.at)
        return
    else:
        # The label of an end in another era would not fit the label of the start, so it stays what it was.
        _extend(connection, last["id"], position_ms, seen.at if last["era"] == heartbeat.era else None)
    _begin(connection, seen, position_ms, heartbeat.era, continued=same)


def _begin(connection: sqlite3.Connection, seen: Observation, position_ms: int, era: int, *, continued: bool = False) -> None:
    wall_seconds = seen.at.wall.timestamp()
    span = (position_ms, position_ms, wall_seconds, wall_seconds)
    _insert(connection, seen, era, (seen.state, *span, seen.cause, seen.reason, continued))


def _begin_gap(connection: sqlite3.Connection, seen: Observation, last: sqlite3.Row, until_ms: int, heartbeat: Heartbeat) -> None:
    rebooted = last["boot_id"] != heartbeat.at.boot_id
    reason = "the machine was restarted" if rebooted else "nobody looked"
    span = (last["end_ms"], until_ms, last["ended_at"], seen.at.wall.timestamp())
    _insert(connection, seen, heartbeat.era, (State.UNKNOWN, *span, "", reason, False))


def _insert(connection: sqlite3.Connection, seen: Observation, era: int, row: tuple[object, ...]) -> None:
    connection.execute(
        "INSERT INTO intervals (crm, target, boot_id, era, state, start_ms, end_ms, started_at, ended_at, cause, reason, continued)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (seen.crm, seen.target, seen.at.boot_id, era, *row),
    )


def _extend(connection: sqlite3.Connection, interval_id: int, end_ms: int, label: Moment | None) -> None:
    connection.execute(
        "UPDATE intervals SET end_ms = ?, ended_at = coalesce(?, ended_at) WHERE id = ?",
        (end_ms, label.wall.timestamp() if label else None, interval_id),
    )
