"""The shape that every database engine has."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from backup.binlog import BinlogPosition
from backup.failures import BackupFailure
from backup.points import PointQueries
from backup.wal import Mark, WalPosition


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What the queries answered: counts as numbers, checksums as texts."""

    counts: dict[str, int] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a moment; `wal` and `binlog` say where it is in its server's log, if that is known."""

    at: datetime
    measures: Measures
    wal: WalPosition | None = None
    binlog: BinlogPosition | None = None


class Moment(Protocol):
    """One consistent moment of a database, held open."""

    @property
    def expected_bytes(self) -> int:
        """About how long the dump will be."""

    def dump_command(self) -> Sequence[str]:
        """Give the command that writes a dump of exactly this moment to standard output."""

    def seen(self) -> Seen:
        """Say when the moment was, where in the server's log, and what it answers to the queries; asked after the dump."""


class Engine(Protocol):
    """One database, handled as its kind wants it."""

    @property
    def dump_file(self) -> str:
        """Name of the dump inside its snapshot."""

    def moment(self, queries: PointQueries, *, mark: Mark | None) -> AbstractContextManager[Moment]:
        """Hold one moment of the database open; `mark` is what it is called in the log of a server that can mark one."""

    def measure(self, queries: PointQueries) -> Measures:
        """Answer the queries about the database as it is now, all at one moment."""

    def require_empty(self) -> None:
        """Refuse to restore into what holds anything, or cannot be restored into for another reason; changes nothing."""

    def prepare(self, *, owner: str | None) -> None:
        """Make what a dump is read into, where that does not exist yet; `owner` is the system user that shall have it."""

    def restore_command(self, *, role: str | None) -> Sequence[str]:
        """Give the command that reads a dump from standard input into the database; `role` shall own what is in it."""


def count_from(name: str, value: object) -> int:
    """Take a query's answer as a count; anything but a whole number is an error, never a zero."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BackupFailure(f"The query of the count {name} gave {value!r}, which is not a whole number.", code="bad_query")


def text_from(value: object) -> str:
    """Take a query's answer as a checksum; nothing at all is an empty one."""
    return "" if value is None else str(value)
