"""What is promised of a CRM for the worst day: how much may be lost (RPO), and how soon it is back (RTO)."""

import re
from dataclasses import dataclass
from datetime import timedelta

from appliance.errors import InvalidRequest

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LENGTH_PATTERN = re.compile(r"([0-9]{1,6})([smhd])")
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """`rpo`: no more than the changes of so long may be lost; `rto`: back in service after so long. None is no promise.

    Without a promise a CRM is expected to be backed up daily, with two hours for a backup that begins late or takes long.
    """

    rpo: timedelta | None = None
    rto: timedelta | None = None

    @property
    def oldest_backup(self) -> timedelta:
        """How old the newest recovery point may become."""
        return self.rpo or timedelta(hours=26)

    def is_too_long(self, took: timedelta) -> bool:
        """Whether a restore that took so long breaks the promise."""
        return self.rto is not None and took > self.rto


def read_length(text: str, field: str) -> timedelta | None:
    """A length as people type it: "90m", "24h", "2d"; None for an empty one. Raises InvalidRequest.

    >>> read_length("24h", "rpo"), read_length(" ", "rpo")
    (datetime.timedelta(days=1), None)
    """
    wanted = text.strip().lower()
    if not wanted:
        return None
    found = LENGTH_PATTERN.fullmatch(wanted)
    length = timedelta(seconds=int(found[1]) * UNITS[found[2]]) if found else timedelta()
    if not SHORTEST <= length <= LONGEST:
        raise InvalidRequest(f"{text[:40]!r} is no length from 1m to 366d; write 90m, 24h or 2d. Nothing was changed.", field=field)
    return length


def written(length: timedelta | None) -> str:
    """The same as `read_length` reads it, in the largest unit that leaves no rest.

    >>> written(timedelta(hours=36)), written(timedelta(days=2)), written(None)
    ('36h', '2d', '')
    """
    if length is None:
        return ""
    seconds = int(length.total_seconds())
    unit = next(unit for unit in reversed(UNITS) if seconds % UNITS[unit] == 0)
    return f"{seconds // UNITS[unit]}{unit}"
