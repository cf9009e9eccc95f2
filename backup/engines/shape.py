"""The shape that every database engine has."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from backup.failures import BackupFailure
from backup.spec import DatabaseSpec
from backup.wal import Mark, WalPosition


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What the queries answered: counts as numbers, checksums as texts."""

    counts: dict[str, int] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)


class Moment(Protocol):
    """One consistent moment of a database, held open."""

    @property
    def at(self) -> datetime:
        """When the moment was."""

    @property
    def expected_bytes(self) -> int:
        """About how long the dump will be."""

    @property
    def wal(self) -> WalPosition | None:
        """Where the moment is in the server's log, if it was to be marked there and the server can."""

    def dump_command(self) -> Sequence[str]:
        """Give the command that writes a dump of exactly this moment to standard output."""

    def measure(self, counts: Mapping[str, str], checksums: Mapping[str, str]) -> Measures:
        """Answer the queries as of this moment."""


class Engine(Protocol):
    """A kind of database server."""

    @property
    def dump_file(self) -> str:
        """Name of the dump inside its snapshot."""

    def moment(self, database: DatabaseSpec, *, mark: Mark | None = None) -> AbstractContextManager[Moment]:
        """Hold one moment of the database open; `mark` is what it is called in the server's log."""

    def require_empty(self, database: DatabaseSpec) -> None:
        """Refuse a database that is missing or holds anything."""

    def restore_command(self, database: DatabaseSpec, *, role: str) -> Sequence[str]:
        """Give the command that reads a dump from standard input into the database."""


def count_from(name: str, value: object) -> int:
    """Take a query's answer as a count; anything but a whole number is an error, never a zero."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BackupFailure(f"The query of the count {name} gave {value!r}, which is not a whole number.", code="bad_query")
