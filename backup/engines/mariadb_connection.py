"""A connection to MariaDB over its unix socket, and what can go wrong with it; no password, ever."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR, ER

from backup.database_spec import MariaDBSpec
from backup.engines.shape import Measures, count_from, text_from
from backup.failures import BackupFailure
from backup.points import PointQueries

Session: TypeAlias = "Connection[Any]"
CONNECT_TIMEOUT_SECONDS = 10
LOCK_SECONDS = 10
ACCESS_DENIED_WITHOUT_PASSWORD = 1698
"""ER_ACCESS_DENIED_NO_PASSWORD_ERROR, which PyMySQL does not name."""
SETTINGS = (
    # the dump of a large database takes hours, in which this connection has nothing to say
    "set session wait_timeout = 604800, max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0",
    f"set session lock_wait_timeout = {LOCK_SECONDS}",
    "set session transaction isolation level repeatable read",
)
BEGIN = "start transaction with consistent snapshot, read only"
CODES = {
    CR.CR_CONN_HOST_ERROR: "database_stopped",
    CR.CR_SERVER_LOST: "database_stopped",
    ER.BAD_DB_ERROR: "database_missing",
    ER.DBACCESS_DENIED_ERROR: "database_refused",
    ER.ACCESS_DENIED_ERROR: "database_refused",
    ACCESS_DENIED_WITHOUT_PASSWORD: "database_refused",
    ER.LOCK_WAIT_TIMEOUT: "database_busy",
}


def server_arguments(database: MariaDBSpec) -> list[str]:
    """Give the arguments that MariaDB's programs share; options of files, which may hold anything, are not read."""
    return ["--no-defaults", "--protocol=socket", f"--socket={database.socket}", f"--user={database.user}"]


@contextmanager
def connected(database: MariaDBSpec) -> Iterator[Session]:
    """Connect; every failure of MariaDB inside becomes a `BackupFailure`."""
    try:
        with closing(_connection(database)) as connection:
            for setting in SETTINGS:
                ask(connection, setting)
            yield connection
    except pymysql.MySQLError as error:
        number, said = (*error.args, "", "")[:2]
        raise BackupFailure(f"MariaDB at {database.socket} said: {said} ({number}).", code=CODES.get(number, "database_failed")) from error


def ask(connection: Session, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
    """Give the rows that a query answers with."""
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return list(cursor.fetchall())


def measured(connection: Session, queries: PointQueries) -> Measures:
    """Answer the queries in the transaction that the connection is in."""
    return Measures(
        counts={name: count_from(name, _answer(connection, name, query)) for name, query in queries.counts.items()},
        checksums={name: text_from(_answer(connection, name, query)) for name, query in queries.checksums.items()},
    )


def _connection(database: MariaDBSpec) -> Session:
    return pymysql.connect(
        unix_socket=database.socket,
        user=database.user,
        database=database.name,
        charset="utf8mb4",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        autocommit=True,
        program_name="crm-appliance-backup",
    )


def _answer(connection: Session, name: str, query: str) -> object:
    """Run one query of a product definition (trusted data, in a read-only transaction) and give its first value."""
    try:
        rows = ask(connection, query)
    except pymysql.MySQLError as error:
        raise BackupFailure(f"The query {name} failed: {error.args[-1]}", code="bad_query") from error
    if not rows:
        raise BackupFailure(f"The query {name} gave no row.", code="bad_query")
    return rows[0][0]
