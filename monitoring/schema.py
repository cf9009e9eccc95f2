"""The tables of the ledger and how its file is opened.

Places on the time axis are whole milliseconds, so that sums are exact. The axis starts at the Unix time of the first heartbeat and
grows by CLOCK_BOOTTIME; only over a reboot by the wall clock, but never by less than the time since the boot. It never runs backwards.
An `era` is a stretch without a reboot or a step of the wall clock.
"""

import sqlite3
import time
from pathlib import Path

BUSY_TIMEOUT_SECONDS = 10
BUSY_PAUSE_SECONDS = 0.01

_TABLES = """
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1), boot_id TEXT NOT NULL, boot_seconds REAL NOT NULL, wall_seconds REAL NOT NULL,
    position_ms INTEGER NOT NULL, era INTEGER NOT NULL
);
CREATE TABLE intervals (
    id INTEGER PRIMARY KEY, crm TEXT NOT NULL, target TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'maintenance', 'unknown')),
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL CHECK (end_ms >= start_ms),
    started_at REAL NOT NULL, ended_at REAL NOT NULL, boot_id TEXT NOT NULL, era INTEGER NOT NULL,
    cause TEXT NOT NULL, reason TEXT NOT NULL,
    continued INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX intervals_of_a_target ON intervals (crm, target, id);
CREATE TABLE checks (
    crm TEXT NOT NULL, target TEXT NOT NULL, result TEXT NOT NULL, upper_bound_seconds REAL NOT NULL,
    count INTEGER NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (crm, target, result, upper_bound_seconds)
) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, crm TEXT NOT NULL, result TEXT NOT NULL, at_seconds REAL NOT NULL,
    duration_seconds REAL, facts TEXT NOT NULL
);
CREATE INDEX events_of_a_kind ON events (kind, crm, at_seconds);
"""
_TABLES_OF_RULES = """
CREATE TABLE facts (
    name TEXT NOT NULL, subject TEXT NOT NULL, part TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, subject, part)
) WITHOUT ROWID;
CREATE TABLE samples (
    series TEXT NOT NULL, at_ms INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (series, at_ms)
) WITHOUT ROWID;
CREATE TABLE alerts (
    rule TEXT NOT NULL, labels TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'firing')),
    since_ms INTEGER NOT NULL, since_seconds REAL NOT NULL, value REAL NOT NULL, PRIMARY KEY (rule, labels)
) WITHOUT ROWID;
CREATE TABLE alert_changes (
    id INTEGER PRIMARY KEY, rule TEXT NOT NULL, labels TEXT NOT NULL, change TEXT NOT NULL CHECK (change IN ('firing', 'resolved')),
    severity TEXT NOT NULL, at_seconds REAL NOT NULL, since_seconds REAL NOT NULL, value REAL NOT NULL
);
"""
_UNTOLD = """
ALTER TABLE alerts ADD COLUMN untold TEXT NOT NULL DEFAULT ''
"""
_LATENCIES = """
CREATE TABLE latencies (
    crm TEXT NOT NULL, target TEXT NOT NULL, day INTEGER NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (crm, target, day, bucket)
) WITHOUT ROWID
"""
_VERSIONS = (_TABLES, _TABLES_OF_RULES, _UNTOLD, _LATENCIES)
SCHEMA_VERSION = len(_VERSIONS)


class LedgerTooNew(Exception):
    """The ledger was written by a newer version; it was left unchanged. Install that version again."""


def connect(path: Path | str) -> sqlite3.Connection:
    """Opens the ledger and makes its tables if needed; safe from several processes at once. Each commit is on disk when it returns."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    if _version(connection) < SCHEMA_VERSION:
        _make_tables(connection)
    if _version(connection) > SCHEMA_VERSION:
        connection.close()
        raise LedgerTooNew(LedgerTooNew.__doc__)
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Of several that open a new file at once, SQLite refuses all but one without its usual wait; they wait here."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
        time.sleep(BUSY_PAUSE_SECONDS)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Asked again under the lock, since another process may have been faster.
    for tables in _VERSIONS[_version(connection) :]:
        for statement in filter(str.strip, tables.split(";")):
            connection.execute(statement)
    if _version(connection) < SCHEMA_VERSION:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
