"""How a database is reached, for each engine that there is. None is given a password: a socket's other end knows its user."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from backup.spec_values import Path_, SqlName


class _Database(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PostgreSQLSpec(_Database):
    """A database reached over its server's unix socket, without a password (peer)."""

    engine: Literal["postgresql"] = "postgresql"
    name: SqlName
    port: Annotated[int, Field(ge=1, le=65535)] = 5432
    socket_directory: Path_ = "/var/run/postgresql"
    user: SqlName = "postgres"


class MariaDBSpec(_Database):
    """A database reached over its server's unix socket, without a password (unix_socket)."""

    engine: Literal["mariadb"]
    name: SqlName
    socket: Path_ = "/run/mysqld/mysqld.sock"
    user: SqlName = "root"


class SQLiteSpec(_Database):
    """A database that is one file; `scratch` is a directory with room for a copy of it."""

    engine: Literal["sqlite"]
    file: Path_
    scratch: Path_ = "/var/tmp"  # noqa: S108 - what lies there is in a directory that nobody else may enter

    @property
    def name(self) -> str:
        """What people call it."""
        return self.file


def _engine(value: object) -> str:
    return str(value.get("engine", "postgresql") if isinstance(value, dict) else getattr(value, "engine", ""))


LoggedDatabaseSpec = Annotated[
    Annotated[PostgreSQLSpec, Tag("postgresql")] | Annotated[MariaDBSpec, Tag("mariadb")], Discriminator(_engine)
]
"""One whose server writes a log."""
DatabaseSpec = Annotated[
    Annotated[PostgreSQLSpec, Tag("postgresql")] | Annotated[MariaDBSpec, Tag("mariadb")] | Annotated[SQLiteSpec, Tag("sqlite")],
    Discriminator(_engine),
]
