"""The three clocks that the ledger needs, read together."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """An instant. `boot_seconds` (CLOCK_BOOTTIME) measures durations within one `boot_id`; `wall` is only a label for people."""

    wall: datetime
    boot_seconds: float
    boot_id: str


Clock = Callable[[], Moment]


def open_clock() -> Clock:
    """A clock of this machine. The boot cannot change while the process lives, so it is read once."""
    boot_id = BOOT_ID_FILE.read_text(encoding="ascii").strip()

    def read() -> Moment:
        return Moment(wall=datetime.now(UTC), boot_seconds=time.clock_gettime(time.CLOCK_BOOTTIME), boot_id=boot_id)

    return read


def moment_at(wall: datetime) -> Moment:
    """A moment of this boot by its wall clock time, as the clock goes now."""
    here = open_clock()()
    return Moment(wall=wall, boot_seconds=here.boot_seconds - (here.wall - wall).total_seconds(), boot_id=here.boot_id)
