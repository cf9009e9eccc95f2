"""Which engine is meant by a database spec."""

from backup.database_spec import DatabaseSpec, MariaDBSpec, PostgreSQLSpec, SQLiteSpec
from backup.engines.postgresql import PostgreSQL
from backup.engines.shape import Engine
from backup.engines.sqlite import SQLite


def engine_of(database: DatabaseSpec) -> Engine:
    """Give what knows how to handle this database."""
    match database:
        case PostgreSQLSpec():
            return PostgreSQL(database)
        case MariaDBSpec():
            from backup.engines.mariadb import MariaDB  # noqa: PLC0415 - its driver takes long to load, and most have no such database

            return MariaDB(database)
        case SQLiteSpec():
            return SQLite(database)
