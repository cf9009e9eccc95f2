"""The binary log of a MariaDB server: positions in it, the names of its files, and as much of their form as is needed.

https://mariadb.com/kb/en/2-binlog-event-header/
"""

import re
import struct
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, NonNegativeInt

NAME = re.compile(r"^(?P<base>[A-Za-z0-9_-]+)\.(?P<number>[0-9]{6,})$")
MAGIC_BYTES = 4
HEADER = struct.Struct("<IBIIIH")
"""Of an event: time, kind, server, length in bytes, next position, flags. The flags of the first say whether the file is still open."""
FIRST_HEADER_BYTES = MAGIC_BYTES + HEADER.size - 2


class BinlogPosition(BaseModel):
    """A moment of a `database` as a place in its server's binary log: the next transaction lies behind it.

    `gtid` names the last transaction before; `log` is the received log that it lies in, where it is received.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    database: str
    file: str
    position: NonNegativeInt
    gtid: str
    log: str | None = None


class BinlogReceived(BaseModel):
    """Whatever was committed by `at` lies before this position, and is on the receiver's disk."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str
    position: NonNegativeInt
    at: AwareDatetime


def number_of(name: str) -> int:
    """Give the number of a file; raises ValueError for a name that is none.

    >>> number_of("binlog.000012")
    12
    """
    if (found := NAME.match(name)) is None:
        raise ValueError(name)
    return int(found["number"])


def missing_between(names: Sequence[str], first: str) -> list[str]:
    """Name the files that are not there, from the one that is first needed to the last one that is there.

    >>> missing_between(["binlog.000002", "binlog.000004"], "binlog.000001")
    ['binlog.000001', 'binlog.000003']
    """
    base, width = first.rpartition(".")[0], len(first.rpartition(".")[2])
    last = max([number_of(name) for name in names], default=number_of(first))
    wanted = [f"{base}.{number:0{width}}" for number in range(number_of(first), last + 1)]
    return [name for name in wanted if name not in names]


def first_header(file: Path) -> bytes:
    """Give what tells a file from another one of the same name: when, and by which server, it was begun."""
    with file.open("rb") as opened:
        return opened.read(FIRST_HEADER_BYTES)


def whole_bytes(file: Path) -> int:
    """Say how much of a file is whole events: a receiver that was killed may have left a part of one at the end."""
    size, at = file.stat().st_size, MAGIC_BYTES
    with file.open("rb") as opened:
        while at + HEADER.size <= size:
            opened.seek(at)
            length = HEADER.unpack(opened.read(HEADER.size))[3]
            if length < HEADER.size or at + length > size:
                break
            at += length
    return min(at, size)


def stops_before(moment: datetime) -> str:
    """Give a moment as mariadb-binlog wants it, in UTC: events know no fractions of a second, so that whole second is left out."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
