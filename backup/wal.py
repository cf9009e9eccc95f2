"""The write-ahead log (WAL) of a PostgreSQL cluster: positions in it, and the names of its files."""

import re
from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict

SEGMENT = re.compile(r"^[0-9A-F]{24}(\.partial)?$")
PARTIAL = ".partial"
SEGMENT_BYTES = 16 * 1024**2
SEGMENTS_PER_LOG = 2**32 // SEGMENT_BYTES
HISTORY = re.compile(r"^[0-9A-F]{8}\.history$")


class WalPosition(BaseModel):
    """A moment of a database as a place in the log of its cluster, marked there by a restore point of that name.

    `log` is the received log that it lies in. `exact` says that nothing was being written then, so that replaying up to the mark gives
    what was counted, to the record.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    log: str
    restore_point: str
    lsn: str
    exact: bool


class Mark(BaseModel):
    """What a moment is to be called in a received log."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    log: str
    name: str


class Received(BaseModel):
    """Whatever was committed by `at` lies before the position `lsn`, and is on the receiver's disk."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    lsn: str
    at: AwareDatetime


def bytes_of(lsn: str) -> int:
    """Give a log sequence number as the count of bytes that it is.

    >>> bytes_of("1/2")
    4294967298
    """
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def end_of(segments: Sequence[str]) -> str:
    """Give the position behind the last segment that is full.

    >>> end_of(["000000010000000000000002", "000000010000000000000003.partial"])
    '0/3000000'
    """
    full = [name for name in segments if not name.endswith(PARTIAL)]
    if not full:
        return "0/0"
    number = number_of(full[-1]) + 1
    return f"{number // SEGMENTS_PER_LOG:X}/{number % SEGMENTS_PER_LOG * SEGMENT_BYTES:X}"


def number_of(segment: str) -> int:
    """Give a segment's place among all of a log, whatever its timeline.

    >>> number_of("000000020000000100000003.partial")
    259
    """
    return int(segment[8:16], 16) * SEGMENTS_PER_LOG + int(segment[16:24], 16)


def gap_in(segments: Sequence[str], *, until: str) -> int | None:
    """Give the number of the first segment that is missing between others, or before a position that they should reach.

    >>> gap_in(["000000010000000000000002", "000000010000000000000004.partial"], until="0/2000100")
    3
    """
    there = {number_of(name) for name in segments}
    last = max(*there, (bytes_of(until) - 1) // SEGMENT_BYTES)
    return next((number for number in range(min(there), last + 1) if number not in there), None)


def is_part_of_a_log(name: str) -> bool:
    """Say whether a file of this name is a segment, one that is not full yet, or the history of a timeline."""
    return bool(SEGMENT.match(name) or HISTORY.match(name))
