"""SQLite: a copy of the file, page by page, made by SQLite's own online backup within one read transaction.

The copy is examined, counted and saved, so all of that is one moment, and whoever writes waits for the copying at most: not at all where
the database has a write-ahead log (WAL mode), else until the copy is made. Pages stay where they are, so restic finds equal parts again.
https://www.sqlite.org/backup.html
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backup import ownership
from backup.database_spec import SQLiteSpec
from backup.engines.shape import Measures, Seen, count_from, text_from
from backup.failures import BackupFailure
from backup.points import PointQueries
from backup.scratch import scratch_directory
from backup.wal import Mark

BUSY_SECONDS = 30
"""SQLite's locks are not fair: who reads beside one that writes without a pause, on a slow disk, waits long for a turn."""
PAGES_AT_ONCE = 10_000
"""Between so many a cancel is heard."""
COPY = "database.sqlite"
BESIDE = ("", "-wal", "-shm", "-journal")
CODES = {
    "SQLITE_BUSY": "database_busy",
    "SQLITE_CORRUPT": "database_damaged",
    "SQLITE_NOTADB": "database_damaged",
    "SQLITE_FULL": "disk_full",
    "SQLITE_CANTOPEN": "database_refused",
    "SQLITE_READONLY": "database_refused",
}


@dataclass(frozen=True, kw_only=True)
class SQLiteMoment:
    """A copy of the database, as it was at one moment."""

    copy: Path
    connection: sqlite3.Connection
    at: datetime
    queries: PointQueries

    @property
    def expected_bytes(self) -> int:
        """The copy's size."""
        return self.copy.stat().st_size

    def dump_command(self) -> list[str]:
        """Write the copy."""
        return ["cat", str(self.copy)]

    def seen(self) -> Seen:
        """Ask the copy, which cannot be written to."""
        counts, checksums = self.queries.counts.items(), self.queries.checksums.items()
        measures = Measures(
            counts={name: count_from(name, _answer(self.connection, name, query)) for name, query in counts},
            checksums={name: text_from(_answer(self.connection, name, query)) for name, query in checksums},
        )
        return Seen(at=self.at, measures=measures)


@dataclass(frozen=True)
class SQLite:
    """The engine. There is no server: the file is opened, as the CRM itself does."""

    database: SQLiteSpec
    dump_file: str = COPY

    @contextmanager
    def moment(self, queries: PointQueries, *, mark: Mark | None = None) -> Iterator[SQLiteMoment]:
        """Copy the file and see that the copy is whole. SQLite has no log to mark a moment in."""
        del mark
        file = Path(self.database.file)
        if not file.is_file():
            raise BackupFailure(f"There is no database {file}.", code="database_missing")
        with scratch_directory(Path(self.database.scratch)) as folder, _telling(file):
            at = _copy(file, folder / COPY)
            with closing(_opened(folder / COPY, "mode=ro&immutable=1")) as connection:
                _require_whole(connection, file)
                yield SQLiteMoment(copy=folder / COPY, connection=connection, at=at, queries=queries)

    def measure(self, queries: PointQueries) -> Measures:
        """Ask a copy."""
        with self.moment(queries) as moment:
            return moment.seen().measures

    def require_empty(self) -> None:
        """Refuse a file that exists: also what SQLite has left beside it, which it would take for the new one's."""
        file = Path(self.database.file)
        if found := [name for name in (f"{file}{ending}" for ending in BESIDE) if Path(name).is_symlink() or Path(name).exists()]:
            raise BackupFailure(f"{', '.join(found)} exists. Restore into a new file, then let it take the name.", code="not_empty")
        if not file.parent.is_dir():
            raise BackupFailure(f"There is no directory {file.parent}.", code="path_missing")

    def prepare(self, *, owner: str | None) -> None:
        """Make the file, for its owner alone."""
        file = Path(self.database.file)
        file.touch(mode=0o600, exist_ok=False)
        if owner:
            ownership.give_file_to(owner, str(file))

    def restore_command(self, *, role: str | None) -> list[str]:
        """Fill the file and bring it to the disk. Roles are unknown here."""
        del role
        return ["dd", f"of={self.database.file}", "bs=1M", "conv=notrunc,fsync", "status=none"]


def _copy(file: Path, copy: Path) -> datetime:
    """Copy a database; gives the moment of the copy. What a crash of its writer left half done is taken back first, as by any reader."""
    with closing(_opened(file, "mode=rw")) as source, closing(sqlite3.connect(copy, isolation_level=None)) as target:
        target.execute("pragma journal_mode = off")  # nobody needs half a copy
        source.execute("pragma query_only = on")
        source.execute("begin")
        source.execute("select count(*) from sqlite_schema")  # from here on others' changes are not seen
        at = datetime.now(UTC)
        source.backup(target, pages=PAGES_AT_ONCE, progress=lambda _status, _remaining, _total: None)
        source.execute("rollback")
    return at


def _opened(file: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.as_uri()}?{how}", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _require_whole(connection: sqlite3.Connection, file: Path) -> None:
    (found,) = connection.execute("pragma quick_check(1)").fetchone()
    if found != "ok" or not connection.execute("select count(*) from sqlite_schema").fetchone()[0]:
        raise BackupFailure(f"{file} is damaged, or holds no table: {found}.", code="database_damaged")


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    """Let every failure of SQLite's in the block be one with a code."""
    try:
        yield
    except sqlite3.Error as error:
        name = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
        raise BackupFailure(f"SQLite said of {file}: {error}.", code=CODES.get(name, "database_failed")) from error


def _answer(connection: sqlite3.Connection, name: str, query: str) -> object:
    """Run one query of a product definition (trusted data, on a copy) and give its first value."""
    try:
        row = connection.execute(query).fetchone()
    except sqlite3.Error as error:
        raise BackupFailure(f"The query {name} failed: {error}", code="bad_query") from error
    if row is None:
        raise BackupFailure(f"The query {name} gave no row.", code="bad_query")
    return row[0]
