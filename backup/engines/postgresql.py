"""PostgreSQL: pg_dump -Fc -Z0 under an exported snapshot, pg_restore from a stream.

Uncompressed, because restic compresses and finds equal parts itself: half the time of a compressed dump, and one
hundredth of the growth (docs/decisions/data-movement.md).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg

from backup.database_spec import PostgreSQLSpec
from backup.engines.shape import Measures, Seen, count_from, text_from
from backup.failures import BackupFailure
from backup.points import PointQueries
from backup.wal import Mark, WalPosition

CONNECT_TIMEOUT_SECONDS = 10
DUMP_FILE = "database.dump"
BEGIN = "begin isolation level repeatable read read only"
# Heap and TOAST only: a dump holds no indexes. Uncompressed, it comes to about this size.
EXPECTED_BYTES = "select coalesce(sum(pg_relation_size(oid)), 0)::bigint from pg_class where relkind in ('r', 't', 'm') and oid >= 16384"
# Whatever a user made: relations, functions and types of no extension, and schemas.
OBJECTS = """
select (select count(*) from pg_class c where c.relnamespace in (select oid from mine) and not exists (
            select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'))
     + (select count(*) from pg_proc p where p.pronamespace in (select oid from mine) and not exists (
            select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
     + (select count(*) from mine where nspname <> 'public')
"""
MARKED = "select pg_create_restore_point(%s)::text, pg_current_snapshot()::text"
# A mark gets to the disk with the next commit, which on a server at rest may be long in coming; a message is one, and changes nothing.
COMMIT_A_MESSAGE = "select pg_logical_emit_message(true, 'crm-appliance-backup', %s)"
SYSTEM = "select system_identifier::text from pg_control_system()"
# Whatever is visible now, and whether anybody is writing: a transaction holds its number until others see what it wrote.
VISIBLE = "select pg_current_snapshot()::text, (select count(*) from pg_stat_activity where backend_xid is not null)"
MARK_ATTEMPTS = 20
MARK_PAUSE_SECONDS = 0.05
MINE = "with mine as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema') "


@dataclass(frozen=True, kw_only=True)
class PostgreSQLMoment:
    """A read-only transaction whose snapshot pg_dump shares."""

    database: PostgreSQLSpec
    connection: psycopg.Connection
    snapshot: str
    at: datetime
    expected_bytes: int
    queries: PointQueries
    wal: WalPosition | None

    def dump_command(self) -> list[str]:
        """Give pg_dump's command for this snapshot."""
        return dump_command(self.database, snapshot=self.snapshot)

    def seen(self) -> Seen:
        """Answer the queries as of this snapshot."""
        counts, checksums = self.queries.counts.items(), self.queries.checksums.items()
        measures = Measures(
            counts={name: count_from(name, _answer(self.connection, name, query)) for name, query in counts},
            checksums={name: text_from(_answer(self.connection, name, query)) for name, query in checksums},
        )
        return Seen(at=self.at, measures=measures, wal=self.wal)


@dataclass(frozen=True)
class PostgreSQL:
    """The engine, reached over the unix socket; the operating system's root is mapped to the role postgres by peer."""

    database: PostgreSQLSpec
    dump_file: str = DUMP_FILE

    @contextmanager
    def moment(self, queries: PointQueries, *, mark: Mark | None = None) -> Iterator[PostgreSQLMoment]:
        """Open a transaction that nothing can change, and export its snapshot."""
        with connected(self.database) as connection, connected(self.database) as other:
            wal = begin_marked(connection, other, mark) if mark else None
            if wal is None:
                connection.execute(BEGIN)
            connection.execute("set local idle_in_transaction_session_timeout = 0")
            connection.execute("set local statement_timeout = 0")
            row = connection.execute("select pg_export_snapshot(), transaction_timestamp(), (" + EXPECTED_BYTES + ")").fetchone()
            if row is None:
                raise BackupFailure("PostgreSQL exported no snapshot.", code="database_failed")
            snapshot, at, expected_bytes = row
            yield PostgreSQLMoment(
                database=self.database,
                connection=connection,
                snapshot=snapshot,
                at=at,
                expected_bytes=expected_bytes,
                queries=queries,
                wal=wal,
            )

    def measure(self, queries: PointQueries) -> Measures:
        """Ask in a transaction of its own."""
        with self.moment(queries) as moment:
            return moment.seen().measures

    def require_empty(self) -> None:
        """Refuse a database that is missing or holds a relation, function or schema of a user."""
        with connected(self.database) as connection:
            row = connection.execute(MINE + OBJECTS).fetchone()
        if row is None or row[0]:
            raise BackupFailure(
                f"The database {self.database.name} is not empty. Restore into a new database, then switch to it.", code="not_empty"
            )

    def prepare(self, *, owner: str | None) -> None:
        """Nothing: the database is there."""

    def restore_command(self, *, role: str | None) -> list[str]:
        """Give pg_restore's command."""
        return ["pg_restore", *connection_arguments(self.database), "--no-owner", f"--role={role}", "--exit-on-error"]


def begin_marked(connection: psycopg.Connection, other: psycopg.Connection, mark: Mark) -> WalPosition:
    """Begin a read-only transaction and mark its moment in the log, in a moment when nobody writes if there is one.

    What was committed before the mark, and only that, is what the transaction sees: it is seen by `other` right after the mark that
    nothing has become visible since, and that nobody was about to commit. On a server that is never idle the mark is not `exact`.
    """
    for attempt in range(MARK_ATTEMPTS):
        if attempt:
            connection.execute("rollback")
            time.sleep(MARK_PAUSE_SECONDS)
        connection.execute(BEGIN)
        lsn, seen = only(connection, MARKED, mark.name)
        exact = only(other, VISIBLE) == (seen, 0) and str(seen).endswith(":")  # "xmin:xmax:" without any in progress
        if exact:
            break
    other.execute(COMMIT_A_MESSAGE, (mark.name,))
    return WalPosition(log=mark.log, restore_point=mark.name, lsn=str(lsn), exact=exact)


def only(connection: psycopg.Connection, query: LiteralString, *values: object) -> tuple[Any, ...]:
    """Give the one row that a query answers with."""
    row = connection.execute(query, values or None).fetchone()
    if row is None:
        raise BackupFailure("PostgreSQL gave no answer.", code="database_failed")
    return tuple(row)


def connection_arguments(database: PostgreSQLSpec) -> list[str]:
    """Give the arguments that PostgreSQL's programs share; no password, ever."""
    return [*server_arguments(database), f"--dbname={database.name}"]


def server_arguments(database: PostgreSQLSpec) -> list[str]:
    """The same for programs that talk to the server and to no database of it."""
    return [f"--host={database.socket_directory}", f"--port={database.port}", f"--username={database.user}", "--no-password"]


def dump_command(database: PostgreSQLSpec, *, snapshot: str) -> list[str]:
    """Give pg_dump's command for an exported snapshot."""
    return ["pg_dump", *connection_arguments(database), "--format=custom", "--compress=0", f"--snapshot={snapshot}"]


@contextmanager
def connected(database: PostgreSQLSpec) -> Iterator[psycopg.Connection]:
    """Connect; every failure of PostgreSQL inside becomes a `BackupFailure`."""
    try:
        with _connect(database, database.name) as connection:
            yield connection
    except psycopg.Error as error:
        raise BackupFailure(f"PostgreSQL said: {str(error).strip()}", code="database_failed") from error


def _connect(database: PostgreSQLSpec, name: str) -> psycopg.Connection:
    try:
        return _connect_to(database, name)
    except psycopg.OperationalError as error:
        raise _refusal(database, str(error).strip()) from error


def _connect_to(database: PostgreSQLSpec, name: str) -> psycopg.Connection:
    return psycopg.connect(
        host=database.socket_directory,
        port=database.port,
        user=database.user,
        dbname=name,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        application_name="crm-appliance-backup",
        autocommit=True,
    )


def _refusal(database: PostgreSQLSpec, said: str) -> BackupFailure:
    """Find out why a connection failed without reading the server's words, which may be in any language."""
    where = f"{database.socket_directory}, port {database.port}"
    try:
        with _connect_to(database, "postgres") as connection:
            known = connection.execute("select from pg_database where datname = %s", [database.name]).fetchone()
    except psycopg.OperationalError:
        return BackupFailure(f"No PostgreSQL answers at {where}. Start it and try again. ({said})", code="database_stopped")
    if known is None:
        return BackupFailure(f"PostgreSQL at {where} has no database {database.name}.", code="database_missing")
    return BackupFailure(f"PostgreSQL at {where} refused the connection: {said}", code="database_refused")


def _answer(connection: psycopg.Connection, name: str, query: str) -> object:
    """Run one query of a product definition (trusted data, in a read-only transaction) and give its first value."""
    try:
        row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        raise BackupFailure(f"The query {name} failed: {str(error).strip()}", code="bad_query") from error
    if row is None:
        raise BackupFailure(f"The query {name} gave no row.", code="bad_query")
    return row[0]
