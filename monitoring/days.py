"""How a stretch of time was spent day by day, for bars."""

from collections.abc import Iterable, Sequence

from monitoring.uptime import State, Uptime, uptime_of

DAY_MS = 86_400_000
Span = tuple[State, int, int]
"""A state, and where it began and ended on the ledger's time axis, in milliseconds."""


def day_starts(until_ms: int, since_midnight_ms: int, days: int) -> list[int]:
    """Where the last days begin, the last of which is today; days are 24 hours long, counted back from the last midnight."""
    midnight_ms = until_ms - since_midnight_ms
    return [midnight_ms - DAY_MS * ago for ago in reversed(range(days))]


def by_day(spans: Iterable[Span], starts: Sequence[int], until_ms: int) -> list[Uptime]:
    """What each day was spent with, oldest first. The spans come in any order; each is cut where a day ends."""
    spent = [dict.fromkeys(State, 0) for _ in starts]
    first_ms = starts[0]
    for state, start_ms, end_ms in spans:
        at_ms, last_ms = max(start_ms, first_ms), min(end_ms, until_ms)
        while at_ms < last_ms:
            day = min((at_ms - first_ms) // DAY_MS, len(starts) - 1)
            ends_ms = min(last_ms, starts[day] + DAY_MS) if day < len(starts) - 1 else last_ms
            spent[day][state] += ends_ms - at_ms
            at_ms = ends_ms
    return [uptime_of(each) for each in spent]
