"""Open the SQLite file: durable writes, one writer at a time, the schema brought up to date."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

BUSY_TIMEOUT_MS = 30_000
_MIGRATING = threading.Lock()
"""Alembic keeps what it works on in its modules: one migration at a time in a process, also of two files."""


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
        with Session(self.engine.execution_options(immediate=True), expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def kept_open(self) -> Iterator[None]:
        """Hold an idle connection, which spares all processes work: when the last one is closed, SQLite takes its log apart.

        A process that forks must not be in here.
        """
        with self.engine.connect() as connection:
            MigrationContext.configure(connection).get_current_revision()  # what has read nothing does not count as open
            connection.rollback()
            yield


def open_database(file: Path) -> Database:
    """Open the store's file, make it if it is absent, and migrate it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # no connection is kept: the worker forks, and a connection must not cross that
    engine = create_engine(f"sqlite:///{file}", poolclass=NullPool, connect_args={"isolation_level": None, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    _migrate(engine)
    file.chmod(0o600)
    return Database(engine=engine)


def is_current(database: Database) -> bool:
    """Whether the schema is the one this version of the appliance needs."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == _scripts().get_current_head()


def _prepare_connection(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return configuration


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_configuration())


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == _scripts().get_current_head():
            return
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # kept in the file from here on
        connection.exec_driver_sql("BEGIN")
    configuration = _configuration()
    with engine.execution_options(immediate=True).connect() as connection:
        configuration.attributes["connection"] = connection
        with _MIGRATING, connection.begin():
            command.upgrade(configuration, "head")
