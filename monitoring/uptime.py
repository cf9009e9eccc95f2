"""What the ledger's intervals say about a stretch of time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """How a target was found."""

    UP = "up"
    """It answered as it should."""
    DEGRADED = "degraded"
    """It serves, but something behind it fails."""
    DOWN = "down"
    """It did not answer as it should, twice."""
    MAINTENANCE = "maintenance"
    """It was taken out of service on purpose."""
    UNKNOWN = "unknown"
    """Nobody looked."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A stretch in one state. `cause` is the name of the probe that failed; the two wall-clock times are labels, not measures.

    `continued` means that the state began in an earlier interval: the clock was set, or nobody looked for a while.
    """

    crm: str
    target: str
    state: State
    start_ms: int
    end_ms: int
    started_at: datetime
    ended_at: datetime
    cause: str
    reason: str
    continued: bool

    @property
    def seconds(self) -> float:
        """How long it lasted, measured by CLOCK_BOOTTIME."""
        return (self.end_ms - self.start_ms) / 1000


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """How a stretch of time was spent, in seconds. Ratios are time-weighted and None where there is nothing to divide.

    The three ratios are those of Google's SRE practice for gaps: what was seen, what is certain, and how much was seen.
    """

    up_seconds: float
    degraded_seconds: float
    down_seconds: float
    maintenance_seconds: float
    unknown_seconds: float

    @property
    def elapsed_seconds(self) -> float:
        """The whole stretch."""
        return self._served + self.down_seconds + self.maintenance_seconds + self.unknown_seconds

    @property
    def observed_ratio(self) -> float | None:
        """Served against served and down; time that nobody saw and maintenance do not count."""
        return _ratio(self._served, self.seen_seconds)

    @property
    def pessimistic_ratio(self) -> float | None:
        """The same as if the CRM had been down whenever nobody looked."""
        return _ratio(self._served, self._served + self.down_seconds + self.unknown_seconds)

    @property
    def coverage_ratio(self) -> float | None:
        """The share of time that was seen."""
        return _ratio(self.elapsed_seconds - self.unknown_seconds, self.elapsed_seconds)

    @property
    def seen_seconds(self) -> float:
        """What the observed ratio is of: served and down."""
        return self._served + self.down_seconds

    @property
    def _served(self) -> float:
        return self.up_seconds + self.degraded_seconds


def summarise(spans: Iterable[tuple[State, int, int]], since_ms: int, until_ms: int) -> Uptime:
    """Adds up (state, start, end) spans as far as they lie between the two places."""
    spent = dict.fromkeys(State, 0)
    for state, start_ms, end_ms in spans:
        spent[state] += max(0, min(end_ms, until_ms) - max(start_ms, since_ms))
    return uptime_of(spent)


def uptime_of(spent_ms: Mapping[State, int]) -> Uptime:
    """Milliseconds by state, as seconds."""
    return Uptime(**{f"{state}_seconds": milliseconds / 1000 for state, milliseconds in spent_ms.items()})


def add_up(parts: Iterable[Uptime]) -> Uptime:
    """The time of several targets together."""
    parts = list(parts)
    return Uptime(**{f"{state}_seconds": sum(getattr(part, f"{state}_seconds") for part in parts) for state in State})


def _ratio(part: float, whole: float) -> float | None:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else None
