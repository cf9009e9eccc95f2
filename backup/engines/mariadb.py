"""MariaDB: mariadb-dump of one moment, which the queries are answered in, too; mariadb reads it back from a stream.

MariaDB's sessions cannot share a moment as PostgreSQL's do, so the dump is started by `backup.engines.mariadb_dump`, which sees to that.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from pydantic import AwareDatetime, BaseModel, ConfigDict

from backup.binlog import BinlogPosition
from backup.children import bytes_as_file
from backup.database_spec import MariaDBSpec
from backup.engines.mariadb_connection import BEGIN, ask, connected, measured, server_arguments
from backup.engines.shape import Measures, Seen
from backup.failures import BackupFailure
from backup.points import PointQueries
from backup.wal import Mark

SIZE = "select coalesce(sum(data_length), 0) from information_schema.tables where table_schema = %s"
# Triggers belong to tables.
OBJECTS = """
select (select count(*) from information_schema.tables where table_schema = %s)
     + (select count(*) from information_schema.routines where routine_schema = %s)
     + (select count(*) from information_schema.events where event_schema = %s)
"""
OTHERS = "select table_name from information_schema.tables where table_schema = %s and table_type = 'BASE TABLE' and engine <> 'InnoDB'"


class Asked(BaseModel):
    """What the program that dumps is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    database: MariaDBSpec
    queries: PointQueries
    log: str | None


class Dumped(BaseModel):
    """What it has seen in the moment that it has dumped."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    at: AwareDatetime
    counts: dict[str, int]
    checksums: dict[str, str]
    binlog: BinlogPosition


class Failed(BaseModel):
    """Why it has dumped nothing that is good."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: str
    message: str


class Answer(BaseModel):
    """What it says at its end: one of the two, or neither where it was killed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dumped: Dumped | None = None
    failed: Failed | None = None


@dataclass(frozen=True, kw_only=True)
class MariaDBMoment:
    """A moment that is chosen when the dump begins. `asked` and `answer` are files in memory, shared with the program that dumps."""

    expected_bytes: int
    asked: IO[bytes]
    answer: IO[bytes]

    def dump_command(self) -> list[str]:
        """Give the command of our own that has mariadb-dump write the dump."""
        shared = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (self.asked, self.answer)]
        return [sys.executable, "-m", "backup.engines.mariadb_dump", *shared]

    def seen(self) -> Seen:
        """Read what the program has told at its end."""
        told = _answer(self.answer).dumped
        if told is None:
            raise BackupFailure("The program that dumps has not said what it has seen.", code="database_failed")
        return Seen(at=told.at, measures=Measures(counts=told.counts, checksums=told.checksums), binlog=told.binlog)


@dataclass(frozen=True)
class MariaDB:
    """The engine, reached over the unix socket; the operating system's root is MariaDB's root."""

    database: MariaDBSpec
    dump_file: str = "database.sql"

    @contextmanager
    def moment(self, queries: PointQueries, *, mark: Mark | None = None) -> Iterator[MariaDBMoment]:
        """Get a dump ready. Its place in the received log needs no mark: a position is one."""
        with connected(self.database) as connection:
            _require_one_moment(self.database, [name for (name,) in ask(connection, OTHERS, self.database.name)])
            ((size,),) = ask(connection, SIZE, self.database.name)
        request = Asked(database=self.database, queries=queries, log=mark.log if mark else None).model_dump_json().encode()
        with bytes_as_file(request) as asked, bytes_as_file(b"") as answer:
            try:
                yield MariaDBMoment(expected_bytes=int(size), asked=asked, answer=answer)
            except BackupFailure as failure:
                if (failed := _answer(answer).failed) is None:
                    raise
                raise BackupFailure(failed.message, code=failed.code) from failure

    def measure(self, queries: PointQueries) -> Measures:
        """Ask in a transaction of its own."""
        with connected(self.database) as connection:
            ask(connection, BEGIN)
            return measured(connection, queries)

    def require_empty(self) -> None:
        """Refuse a database that is missing or holds a table, view, routine or event."""
        with connected(self.database) as connection:
            ((found,),) = ask(connection, OBJECTS, *[self.database.name] * 3)
        if found:
            raise BackupFailure(
                f"The database {self.database.name} is not empty. Restore into a new database, then switch to it.", code="not_empty"
            )

    def prepare(self, *, owner: str | None) -> None:
        """Nothing: the database is there."""

    def restore_command(self, *, role: str | None) -> list[str]:
        """Give the client's command; in its binary mode it takes nothing in a dump for a command to itself. It stops at the first error."""
        del role
        reading = ["--batch", "--binary-mode", "--default-character-set=utf8mb4"]
        return ["mariadb", *server_arguments(self.database), *reading, f"--database={self.database.name}"]


def _require_one_moment(database: MariaDBSpec, others: Sequence[str]) -> None:
    if others:
        names = ", ".join(others)
        raise BackupFailure(f"In {database.name}, {names} is not of InnoDB: a dump of it is of no one moment.", code="not_transactional")


def dump_command(database: MariaDBSpec) -> list[str]:
    """Give mariadb-dump's command; it says in a comment which position of the binary log its moment is at."""
    moment = ["--single-transaction", "--quick", "--master-data=2", "--skip-dump-date"]
    objects = ["--routines", "--events", "--triggers", "--hex-blob", "--default-character-set=utf8mb4"]
    return ["mariadb-dump", *server_arguments(database), *moment, *objects, database.name]


def _answer(file: IO[bytes]) -> Answer:
    """Read what the program has said; it says everything or nothing, in one write."""
    file.seek(0)
    return Answer.model_validate_json(file.read() or b"{}")
