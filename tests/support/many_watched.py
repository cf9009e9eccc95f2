"""A monitor's ledger that has watched many CRMs for three months: intervals, probes day by day, what the worker did, and alerts."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from monitoring.clock import moment_at
from monitoring.days import DAY_MS
from monitoring.facts import LOG_SHIPPED, replace_facts
from monitoring.latencies import KEPT_DAYS
from monitoring.ledger import SERVICE, State
from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Alert, Change, Stand
from monitoring.schema import connect
from monitoring.timeline import Heartbeat, write_heartbeat

PROBES = ("live", "ready", "deep", "jobs")
STATES = (State.UP, State.DOWN, State.UP, State.DEGRADED, State.UP, State.MAINTENANCE, State.UP, State.DOWN, State.UP)
BUCKETS = ((0, 5000), (2, 700), (5, 9))
DAY = timedelta(days=1)
DOWN_NOW, ALERTING = 5, 40
NOT_STALE = timedelta(minutes=30)
"""How long what was seen last is to count as seen of late."""
INTERVAL = (
    "INSERT INTO intervals (crm, target, state, start_ms, end_ms, started_at, ended_at, boot_id, era, cause, reason, continued)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, 0)"
)


def fill_ledger(file: Path, names: Sequence[str], now: datetime) -> None:
    """Write it; the file must not be there yet. The first few of the CRMs are down, and alerts fire for some."""
    file.parent.mkdir(parents=True, exist_ok=True)
    moment = moment_at(now)
    end_ms = round(now.timestamp() * 1000)
    with closing(connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")  # it is made once, and thrown away if the machine stops
        connection.execute("BEGIN IMMEDIATE")
        write_heartbeat(connection, Heartbeat(at=moment, position_ms=end_ms, era=1))
        connection.executemany(INTERVAL, _intervals(names, now, end_ms, moment.boot_id))
        connection.executemany("INSERT INTO latencies VALUES (?, ?, ?, ?, ?)", _latencies(names, end_ms // DAY_MS))
        connection.executemany(
            "INSERT INTO events (kind, crm, result, at_seconds, duration_seconds, facts) VALUES ('backup', ?, 'success', ?, 33, ?)",
            _backups(names, now),
        )
        replace_facts(connection, LOG_SHIPPED, {(name, "local"): now.timestamp() for name in names})
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _alert(file, names, now)


def _intervals(names: Sequence[str], now: datetime, end_ms: int, boot_id: str) -> Iterator[tuple[object, ...]]:
    every = 100 * DAY / len(STATES)
    for number, state in enumerate(STATES):
        ago = every * (len(STATES) - number)
        is_last = number == len(STATES) - 1
        for crm, name in enumerate(names):
            found = State.DOWN if is_last and crm < DOWN_NOW else state
            reason = "answered 502 instead of 200" if found is State.DOWN else ""
            begins, ends = now - ago, now + NOT_STALE if is_last else now - ago + every
            span_ms = (end_ms - round(ago.total_seconds() * 1000), end_ms - round((ago - every).total_seconds() * 1000))
            for target in (*PROBES, SERVICE):
                yield (name, target, found, *span_ms, begins.timestamp(), ends.timestamp(), boot_id, "live" if reason else "", reason)


def _latencies(names: Sequence[str], today: int) -> Iterator[tuple[object, ...]]:
    for name in names:
        for probe in sorted(PROBES):
            for day in range(today - KEPT_DAYS + 1, today + 1):
                for bucket, count in BUCKETS:
                    yield name, probe, day, bucket, count


def _backups(names: Sequence[str], now: datetime) -> Iterator[tuple[object, ...]]:
    for ago in reversed(range(30)):
        at = (now - ago * DAY).timestamp()
        facts = json.dumps({"kind": "logical", "repository": "local", "bytes_added": 10**6, "recovery_point_at": at})
        yield from ((name, at, facts) for name in names)


def _alert(file: Path, names: Sequence[str], now: datetime) -> None:
    at = now.timestamp()
    alerts = [
        Alert(
            rule="CrmDown" if number < DOWN_NOW else "BackupFailed",
            labels=(("crm", name),),
            stand=Stand.FIRING,
            since_ms=0,
            since=at - 900,
            value=0,
        )
        for number, name in enumerate(names[:ALERTING])
    ]
    with closing(RuleMemory(file)) as memory:
        memory.write(alerts, [Change(alert=alert, fires=True) for alert in alerts], at=at)
