"""What is promised of a CRM: for the worst day how much may be lost (RPO), how soon it is back (RTO); for others how well it serves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from appliance.errors import InvalidRequest
from monitoring.checks import DURATION_BOUNDS_SECONDS

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LENGTH_PATTERN = re.compile(r"([0-9]{1,6})([smhd])")
SHARE_PATTERN = re.compile(r"[0-9]{2}([.,][0-9]{1,4})?")
LEAST_SHARE, GREATEST_SHARE = 0.5, 0.99999
LATENCIES = tuple(timedelta(seconds=bound) for bound in DURATION_BOUNDS_SECONDS[:-1])
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """`rpo`: no more than the changes of so long may be lost; `rto`: back in service after so long. None is no promise.

    `availability`: the share of the time that it serves, over 30 days, maintenance left out; `latency_share` of the probes take no longer
    than `latency`. Without a promise a CRM is expected to be backed up daily, with two hours for a backup that begins late or takes long,
    to serve 99.5 % of the time, and to answer 95 % of the probes within 2 s.
    """

    rpo: timedelta | None = None
    rto: timedelta | None = None
    availability: float | None = None
    latency: timedelta | None = None
    latency_share: float | None = None

    @property
    def oldest_backup(self) -> timedelta:
        """How old the newest recovery point may become."""
        return self.rpo or timedelta(hours=26)

    def is_too_long(self, took: timedelta) -> bool:
        """Whether a restore that took so long breaks the promise."""
        return self.rto is not None and took > self.rto


def read_objectives(typed: Mapping[str, str]) -> Objectives:
    """All that is typed, by the names of the fields; what is empty or left out is no promise. Raises InvalidRequest."""
    return Objectives(
        rpo=read_length(typed.get("rpo", ""), "rpo"),
        rto=read_length(typed.get("rto", ""), "rto"),
        availability=read_share(typed.get("availability", ""), "availability"),
        latency=read_latency(typed.get("latency", ""), "latency"),
        latency_share=read_share(typed.get("latency_share", ""), "latency_share"),
    )


def read_share(text: str, field: str) -> float | None:
    """A share as people type it: "99.5" or "99.5 %", from 50 to 99.999; None for an empty one. Raises InvalidRequest.

    >>> read_share("99.5 %", "availability"), read_share("", "availability")
    (0.995, None)
    """
    wanted = text.strip().removesuffix("%").strip()
    if not wanted:
        return None
    found = SHARE_PATTERN.fullmatch(wanted)
    share = round(float(found[0].replace(",", ".")) / 100, 6) if found else 0.0
    if not LEAST_SHARE <= share <= GREATEST_SHARE:
        raise InvalidRequest(f"{text[:40]!r} is no share from 50 to 99.999 %; write 99.5. Nothing was changed.", field=field)
    return share


def read_latency(text: str, field: str) -> timedelta | None:
    """How long a probe may take, as people type it: "800ms" or "2s"; one of the lengths that probes are counted by. Raises InvalidRequest.

    >>> read_latency("800ms", "latency"), read_latency("", "latency")
    (datetime.timedelta(microseconds=800000), None)
    """
    wanted = text.strip().lower()
    if not wanted:
        return None
    known = {written_latency(latency): latency for latency in LATENCIES}
    if wanted not in known:
        raise InvalidRequest(f"{text[:40]!r} is none of {', '.join(known)}. Nothing was changed.", field=field)
    return known[wanted]


def written_share(share: float | None) -> str:
    """The same as `read_share` reads it.

    >>> written_share(0.995), written_share(None)
    ('99.5', '')
    """
    return "" if share is None else f"{share * 100:.6g}"


def written_latency(latency: timedelta | None) -> str:
    """The same as `read_latency` reads it.

    >>> written_latency(timedelta(milliseconds=1200)), written_latency(timedelta(seconds=2)), written_latency(None)
    ('1200ms', '2s', '')
    """
    if latency is None:
        return ""
    milliseconds = latency // timedelta(milliseconds=1)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"


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
