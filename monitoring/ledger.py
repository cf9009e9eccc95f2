"""The monitor's memory: what was seen when, and what the worker did. It survives kill -9, reboots and clocks that are set.

One SQLite file, written by the monitor (observations) and the worker (events), read by the exporter and the panel.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Self

from monitoring.checks import SUMS, Check, CheckSums, count_check, sums_of
from monitoring.clock import Moment
from monitoring.days import DAY_MS, Span, by_day, day_starts
from monitoring.events import Event, event_of, is_told, write_clock_step, write_event
from monitoring.facts import facts_of, replace_facts
from monitoring.latencies import Buckets, count_latencies, forget_latencies, read_latencies, sum_latencies
from monitoring.outages import Outage, outages_of
from monitoring.schema import connect
from monitoring.timeline import Heartbeat, Observation, advance, place, read_heartbeat, write_heartbeat
from monitoring.uptime import Interval, State, Uptime, summarise

__all__ = ["SERVICE", "Interval", "Ledger", "Observation", "Outage", "State", "Uptime"]

SERVICE = "service"
"""The target that stands for the CRM as a whole."""

EACH_CRM = """
    WITH RECURSIVE each(crm) AS (
        SELECT min(crm) FROM intervals
        UNION ALL SELECT (SELECT min(crm) FROM intervals WHERE crm > each.crm) FROM each WHERE crm IS NOT NULL
    )
    SELECT crm FROM each WHERE crm IS NOT NULL
"""
"""By seeking in the index: there are many intervals of each."""
UNSEEN_TAIL_SECONDS = 120
"""After this long without an observation, the time since the last one counts as unknown."""


class IntervalRow(NamedTuple):
    """An interval as it is kept; who reads a hundred thousand at once needs no more."""

    id: int
    crm: str
    target: str
    state: str
    start_ms: int
    end_ms: int
    ended_at: float
    cause: str
    continued: int
    closed: int


class Ledger:
    """One open ledger. Safe to use from several threads, and beside other processes."""

    def __init__(self, path: Path | str) -> None:
        """Opens the file and makes it if needed; its directory must exist. Raises LedgerTooNew and sqlite3.Error."""
        self._connection = connect(path)
        self._lock = RLock()
        self._seen: set[tuple[str, str]] = set()
        self._day: int | None = None

    def __enter__(self) -> Self:
        """For use in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file."""
        self.close()

    def close(self) -> None:
        """Closes the file; nothing is lost, since every write is already on disk."""
        with self._lock:
            self._connection.close()

    def record_event(
        self,
        *,
        kind: str,
        crm: str,
        result: str,
        at: datetime,
        duration_seconds: float | None = None,
        values: Mapping[str, Any] | None = None,
        once_by: str | None = None,
    ) -> None:
        """Writes down what the worker did, for example a backup, drill, restore, upgrade or install. On disk when it returns.

        `result` is success, partial, failed, cancelled or rolled_back; `at` is aware and says when it ended. `values` are JSON facts:
        backups give `kind`, `repository`, `bytes_processed`, `bytes_added` and `recovery_point_at` (Unix seconds).
        `once_by` names one of the values: an event of this kind and CRM that has the same one is there already, and stays the only one.
        """
        result = "success" if result == "succeeded" else result
        event = Event(kind=kind, crm=crm, result=result, at=at, duration_seconds=duration_seconds, values=dict(values or {}))
        with self._transaction() as connection:
            if once_by is None or not is_told(connection, event, by=once_by):
                write_event(connection, event)

    def tell_facts(self, name: str, facts: Mapping[tuple[str, str], float]) -> None:
        """Writes down how things are now, by subject (a CRM, a host) and part, in place of all that was told by this name."""
        with self._transaction() as connection:
            replace_facts(connection, name, facts)

    def facts(self) -> dict[str, dict[tuple[str, str], float]]:
        """How things are, by name, then by subject and part, as it was told last."""
        return facts_of(self._read_tuples("SELECT name, subject, part, value FROM facts ORDER BY name, subject, part"))

    def record(self, observations: Sequence[Observation], checks: Sequence[Check], now: Moment) -> None:
        """Writes a heartbeat and everything that was seen since the last one, in one transaction. Only the monitor calls this."""
        with self._transaction() as connection:
            heartbeat = advance(read_heartbeat(connection), now)
            write_heartbeat(connection, heartbeat)
            write_clock_step(connection, heartbeat)
            seen = set(self._seen)
            for observation in observations:
                key = (observation.crm, observation.target)
                place(connection, observation, heartbeat, first_of_run=key not in seen)
                seen.add(key)
            for check in checks:
                count_check(connection, check)
            count_latencies(connection, checks, heartbeat.position_ms)
            if heartbeat.position_ms // DAY_MS != self._day:
                forget_latencies(connection, heartbeat.position_ms)
        self._day = heartbeat.position_ms // DAY_MS
        self._seen = seen

    def close_all_but(self, watched: Collection[tuple[str, str]]) -> None:
        """Ends the intervals of (crm, target) pairs that are watched no longer, so that the time until they return is nobody's gap."""
        with self._transaction() as connection:
            for crm, target in connection.execute("SELECT DISTINCT crm, target FROM intervals WHERE NOT closed").fetchall():
                if (crm, target) not in watched:
                    connection.execute("UPDATE intervals SET closed = 1 WHERE crm = ? AND target = ?", (crm, target))

    def intervals(self, crm: str, target: str = SERVICE) -> list[Interval]:
        """All intervals of a target, oldest first."""
        rows = self._read("SELECT * FROM intervals WHERE crm = ? AND target = ? ORDER BY id", (crm, target))
        return [_interval(row) for row in rows]

    def events(self, kind: str | None = None, crm: str | None = None) -> list[Event]:
        """Events, oldest first, of one kind or CRM if given."""
        query = "SELECT * FROM events WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR crm = ?2) ORDER BY at_seconds, id"
        return [event_of(row) for row in self._read(query, (kind, crm))]

    def events_after(self, event_id: int) -> list[tuple[int, Event]]:
        """Events that were written after that one, with their ids, in the order of their writing."""
        return [(row["id"], event_of(row)) for row in self._read("SELECT * FROM events WHERE id > ? ORDER BY id", (event_id,))]

    def interval_rows(self, *, after: int, among: Sequence[int]) -> list[IntervalRow]:
        """The intervals with an id above `after`, and those `among` the ids given, in the order of their writing; all of one moment."""
        query = (
            "SELECT id, crm, target, state, start_ms, end_ms, ended_at, cause, continued, closed FROM intervals"
            " WHERE id > ?1 OR id IN (SELECT value FROM json_each(?2)) ORDER BY id"
        )
        return list(map(IntervalRow._make, self._read_tuples(query, (after, json.dumps(list(among))))))

    def position_ms(self, now: Moment) -> int:
        """Where a moment lies on the ledger's time axis."""
        return advance(self.heartbeat(), now).position_ms

    def uptime(self, crm: str, window: timedelta, now: Moment, target: str = SERVICE) -> Uptime:
        """How the target spent the window that ends now, as far as it was watched in it."""
        until_ms = self.position_ms(now)
        since_ms = until_ms - round(window.total_seconds() * 1000)
        return summarise(self._spans(crm, target, since_ms, until_ms), since_ms, until_ms)

    def days(self, crm: str, days: int, now: Moment, target: str = SERVICE) -> list[Uptime]:
        """How the target spent each of the last days in UTC, oldest first; the last is today's, until now."""
        until_ms = self.position_ms(now)
        starts = day_starts(until_ms, round(now.wall.timestamp() * 1000) % DAY_MS, days)
        return by_day(self._spans(crm, target, starts[0], until_ms), starts, until_ms)

    def latencies(self, crm: str, target: str, days: int, now: Moment) -> list[Buckets]:
        """How long the probes of the last days took, oldest first; the last is today's, until now."""
        position_ms = self.position_ms(now)
        with self._lock:
            return read_latencies(self._connection, crm, target, days, position_ms)

    def latency_sums(self, crms: Collection[str], first_day: int, last_day: int) -> dict[str, Buckets]:
        """How long the probes that count took, by CRM, from one day of the time axis to another."""
        with self._lock:
            return sum_latencies(self._connection, crms, first_day, last_day)

    def outages(self, crm: str, *, limit: int = 1000, target: str = SERVICE) -> list[Outage]:
        """When the target was down, newest first, out of its newest intervals; the first of them may have begun before."""
        query = "SELECT * FROM intervals WHERE crm = ? AND target = ? AND state = 'down' ORDER BY id DESC LIMIT ?"
        down = [_interval(row) for row in self._read(query, (crm, target, limit))][::-1]
        newest = self._read("SELECT * FROM intervals WHERE crm = ? AND target = ? ORDER BY id DESC LIMIT 1", (crm, target))
        lasting = _interval(newest[0]) if newest and not newest[0]["closed"] else None
        return outages_of(down, lasting=lasting)[::-1]

    def heartbeat(self) -> Heartbeat | None:
        """The monitor's last sign of life, or None before its first."""
        with self._lock:
            return read_heartbeat(self._connection)

    def latest(self) -> dict[tuple[str, str], Interval]:
        """The newest interval of each crm and target."""
        rows = self._read("SELECT * FROM intervals WHERE id IN (SELECT max(id) FROM intervals GROUP BY crm, target)")
        return {(row["crm"], row["target"]): _interval(row) for row in rows}

    def last_seen(self, crms: Collection[str] | None = None) -> list[tuple[str, State, str, datetime]]:
        """How each CRM, or each of these, was found last as a whole: name, state, reason, and until when."""
        newest = "SELECT max(id) FROM intervals WHERE crm = told.crm AND target = ?2"
        told = EACH_CRM if crms is None else "SELECT value AS crm FROM json_each(?1)"
        query = f"SELECT crm, state, reason, ended_at FROM intervals WHERE id IN (SELECT ({newest}) FROM ({told}) AS told)"  # noqa: S608 - made here
        rows = self._read_tuples(query, (json.dumps(list(crms or ())), SERVICE))
        return [(crm, State(state), reason, datetime.fromtimestamp(ended_at, UTC)) for crm, state, reason, ended_at in rows]

    def check_sums(self) -> dict[tuple[str, str], CheckSums]:
        """All checks ever carried out, by crm and target."""
        return sums_of(self._read_tuples(SUMS))

    def _spans(self, crm: str, target: str, since_ms: int, until_ms: int) -> list[Span]:
        """What lies between the two places; after the newest observation, nobody looked."""
        query = (
            "SELECT state, start_ms, end_ms, closed FROM intervals WHERE crm = ?1 AND target = ?2"
            " AND (end_ms > ?3 OR id = (SELECT max(id) FROM intervals WHERE crm = ?1 AND target = ?2)) ORDER BY id"
        )
        rows = self._read(query, (crm, target, since_ms))
        spans = [(State(row["state"]), row["start_ms"], row["end_ms"]) for row in rows]
        if rows and not rows[-1]["closed"] and until_ms - rows[-1]["end_ms"] > UNSEEN_TAIL_SECONDS * 1000:
            spans.append((State.UNKNOWN, rows[-1]["end_ms"], until_ms))
        return spans

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _read(self, query: str, parameters: Sequence[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    def _read_tuples(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        """For what comes by the ten thousand."""
        with self._lock:
            cursor = self._connection.cursor()
            cursor.row_factory = None
            return cursor.execute(query, parameters).fetchall()


def _interval(row: sqlite3.Row) -> Interval:
    return Interval(
        crm=row["crm"],
        target=row["target"],
        state=State(row["state"]),
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        started_at=datetime.fromtimestamp(row["started_at"], UTC),
        ended_at=datetime.fromtimestamp(row["ended_at"], UTC),
        cause=row["cause"],
        reason=row["reason"],
        continued=bool(row["continued"]),
    )
