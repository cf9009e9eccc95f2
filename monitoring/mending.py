"""A ledger that is damaged: it is set aside as it is, and what can be read of it is the beginning of a new one.

Of a table the rows before and after the damage are kept; none is where its first page is damaged.
Only the monitor mends, before it opens the ledger. Killed in the middle of it, the next monitor begins anew or brings it to its end.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path

from monitoring.durable import sync_directory
from monitoring.events import Event, write_event
from monitoring.schema import SCHEMA_VERSION, connect
from monitoring.uptime import State

DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
TABLES = {"heartbeat": "id", "intervals": "id", "events": "id", "alert_changes": "id"} | dict.fromkeys(
    ("checks", "facts", "samples", "alerts", "latencies"), ""
)
"""What is read, and the column by which a table can be read from its other end, too."""

log = logging.getLogger("monitoring")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, and not only the disk full or the file in use."""
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF in DAMAGE


def mend(path: Path) -> None:
    """Look whether the ledger is whole, and mend one that is not. Raises sqlite3.Error and OSError; the file is left as it is then."""
    mended = path.with_name(f"{path.name}.mended")
    if not mended.exists():
        if not path.exists() or not _is_damaged(path):
            return
        _save(path, mended)
    aside = _exchange(path, mended)
    log.error("%s is damaged. It was set aside as %s, and what can be read of it is kept. Compare with a backup.", path, aside.name)


def _is_damaged(path: Path) -> bool:
    try:
        with closing(_read_only(path)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION:
                return False
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return True


def _read_only(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda text: text.decode(errors="replace")
    # So SQLite reads what there is of a file that is shorter than it should be.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _save(path: Path, mended: Path) -> None:
    """Write a new ledger with what can be read; it has its name only once it is complete."""
    draft = path.with_name(f"{path.name}.mending")
    for file in (draft, _log_of(draft), _index_of(draft)):
        file.unlink(missing_ok=True)
    with closing(_read_only(path)) as damaged, closing(connect(draft)) as new:
        new.execute("BEGIN IMMEDIATE")
        kept = sum(_copy(damaged, new, table, key) for table, key in TABLES.items())
        _close_holes(new)
        event = Event(kind="ledger_damaged", crm="", result="partial", at=datetime.now(UTC), duration_seconds=None, values={"kept": kept})
        write_event(new, event)
        new.execute("COMMIT")
    draft.replace(mended)
    sync_directory(path.parent)


def _copy(damaged: sqlite3.Connection, new: sqlite3.Connection, table: str, key: str) -> int:
    """How many rows of a table could be kept: up to the damage, and from its other end, too. A ledger of before has fewer columns."""
    known = {column["name"] for column in new.execute(f"PRAGMA table_info({table})")}
    for row in _rows(damaged, table, key):
        kept = {name: row[name] for name in row.keys() if name in known}  # noqa: SIM118 - a row's iterator gives its values
        names, places = ", ".join(kept), ", ".join("?" * len(kept))
        new.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})", tuple(kept.values()))  # noqa: S608 - of TABLES
    return int(new.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - of TABLES


def _rows(damaged: sqlite3.Connection, table: str, key: str) -> Iterator[sqlite3.Row]:
    for order in (f"ORDER BY {key} ASC", f"ORDER BY {key} DESC") if key else ("",):
        try:
            yield from damaged.execute(f"SELECT * FROM {table} {order}")  # noqa: S608 - of TABLES
        except sqlite3.DatabaseError:
            continue
        return


def _close_holes(new: sqlite3.Connection) -> None:
    """Where intervals are lost nobody knows any more what was seen; what overlaps was read wrong, and is dropped."""
    rows = new.execute("SELECT crm, target, id, start_ms, end_ms, closed FROM intervals ORDER BY crm, target, id").fetchall()
    for _, of_target in groupby(rows, key=lambda row: row[:2]):
        for before, after in pairwise(list(of_target)):
            if after["start_ms"] < before["end_ms"]:
                new.execute("DELETE FROM intervals WHERE id = ?", (after["id"],))
            elif after["start_ms"] > before["end_ms"] and not before["closed"]:
                _fill(new, before, after)


def _fill(new: sqlite3.Connection, before: sqlite3.Row, after: sqlite3.Row) -> None:
    """The lost interval had an id between the two."""
    taken = {row[0] for row in new.execute("SELECT id FROM intervals WHERE id BETWEEN ? AND ?", (before["id"], after["id"]))}
    free = next((number for number in range(before["id"] + 1, after["id"]) if number not in taken), None)
    if free is None:
        return
    new.execute(
        "INSERT INTO intervals (id, crm, target, state, start_ms, end_ms, started_at, ended_at, boot_id, era, cause, reason, continued)"
        " SELECT ?, crm, target, ?, end_ms, ?, ended_at, ended_at, boot_id, era, '', 'the ledger was damaged', 0"
        " FROM intervals WHERE id = ?",
        (free, State.UNKNOWN, after["start_ms"], before["id"]),
    )


def _exchange(path: Path, mended: Path) -> Path:
    """Put the new ledger into the place of the damaged one, which keeps its log under its new name. May be done again after a kill."""
    aside = path.with_name(f"{path.name}.damaged-{path.stat().st_mtime_ns}")
    with suppress(FileExistsError):
        os.link(path, aside)
    if _log_of(path).exists():
        # To look at the file has left an empty one.
        _log_of(path).replace(_log_of(aside)) if _log_of(path).stat().st_size else _log_of(path).unlink()
    _index_of(path).unlink(missing_ok=True)
    sync_directory(path.parent)
    mended.replace(path)
    sync_directory(path.parent)
    return aside


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _index_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-shm")
