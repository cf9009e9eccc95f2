"""Open the SQLite file: durable writes, one writer at a time, the schema brought up to date."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection, QueuePool

CONDITION: ContextVar[Callable[[], None] | None] = ContextVar("condition", default=None)
"""What the next writing session of this context depends on."""
BUSY_TIMEOUT_MS = 30_000
KEPT_CONNECTIONS = 2
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, kw_only=True)
class Database:
    """Sessions for reading and for writing; a writing session takes the write lock when it begins, so it never fails half-way."""

    engine: Engine

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one consistent state."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that commits at the end, or leaves everything as it was when an error is raised."""
        holds = CONDITION.get()
        with Session(self.engine.execution_options(immediate=True), expire_on_commit=False) as session, session.begin():
            if holds is not None:
                session.connection()  # takes the write lock: what is looked at now cannot change before the end
                CONDITION.set(None)
                holds()
            yield session

    @contextlib.contextmanager
    def only_if(self, holds: Callable[[], None]) -> Iterator[None]:
        """Have the first writing session of this block begin only if `holds` raises nothing; it may read, under the write lock."""
        token = CONDITION.set(holds)
        try:
            yield
        finally:
            CONDITION.reset(token)

    @contextlib.contextmanager
    def kept_open(self) -> Iterator[None]:
        """Hold an idle connection, which spares all processes work: when the last one is closed, SQLite takes its log apart.

        A process that forks must not be in here.
        """
        with self.engine.connect() as connection:
            _revision(connection)  # what has read nothing does not count as open
            connection.rollback()
            yield


def open_database(file: Path, *, keeps_connections: bool = False) -> Database:
    """Open the store's file, make it if it is absent, and migrate it.

    A process that asks often keeps its connections: each new one reads the whole schema. A process that forks must not, for a connection
    must not cross that.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {"poolclass": QueuePool, "pool_size": KEPT_CONNECTIONS, "max_overflow": -1, "pool_use_lifo": True}
    pool = kept if keeps_connections else {"poolclass": NullPool}
    engine = create_engine(f"sqlite:///{file}", connect_args={"isolation_level": None, "check_same_thread": False}, **pool)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    if keeps_connections:
        _follow_the_file(engine, file)
    _bring_up_to_date(engine, file)
    file.chmod(0o600)
    return Database(engine=engine)


def _follow_the_file(engine: Engine, file: Path) -> None:
    """Give no connection out that was made to a file which lies there no longer, as after the store was brought back."""

    def note(_: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
        entry.info["file"] = _identity(file)

    def check(_: sqlite3.Connection, entry: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
        if entry.info["file"] != _identity(file):
            raise DisconnectionError("the store's file is another one")  # SQLAlchemy connects anew

    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", check)


def _identity(file: Path) -> tuple[int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        found = file.stat()
        return found.st_dev, found.st_ino
    return None


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of the appliance needs."""
    with database.engine.connect() as connection:
        return _revision(connection) == _newest_revision()


def _prepare_connection(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _bring_up_to_date(engine: Engine, file: Path) -> None:
    with engine.connect() as connection:
        if _revision(connection) == _newest_revision():
            return
        connection.exec_driver_sql("ROLLBACK")
        with _alone_in(file.parent):  # of two at once, SQLite refuses one without waiting
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # kept in the file from here on
        connection.exec_driver_sql("BEGIN")
    from appliance.store.migrating import migrate  # noqa: PLC0415 - Alembic takes long to load, and a command seldom has anything to migrate

    migrate(engine, MIGRATIONS)


@contextlib.contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Be the only one in this block for a directory, among all processes; the others wait."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _revision(connection: Connection) -> str | None:
    """Which migration the file has seen last, as Alembic notes it; None for a new file."""
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").scalar_one()
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if tables else None


def _newest_revision() -> str:
    """The file of each migration begins with its revision."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
