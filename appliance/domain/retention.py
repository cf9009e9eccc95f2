"""Which recovery points are kept: by their age, the last that was proven always, and none is given up while something looks wrong."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from pydantic import ConfigDict

from appliance.domain.instance import RecoveryPoint
from appliance.errors import Conflict, InvalidRequest

AHEAD_OF_THE_CLOCK = timedelta(minutes=5)
"""A point of later than this means that a clock was stepped; ages mean nothing then."""
REST = timedelta(days=3)
"""After a jump of the clock nothing is given up by age for so long, in which somebody can correct it."""
USUAL_PAUSES = 3
"""A pause that is so many times the longest of those before it is a jump."""
SHRUNK = 0.5
"""A dump under this share of the one before may be of a database that has lost something."""
UNCHANGED = "No recovery point was given up."


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How many points are kept: the `last` ones, and the newest of each of the last so many hours, days, weeks, months and years.

    Only those in which there are points count, so a pause costs none. All points of the last `within_days` before the newest one are
    kept besides. As restic's `--keep-*` (its manual, "Removing backup snapshots").
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    within_days: int = 0

    def __post_init__(self) -> None:
        """Raises InvalidRequest for a negative number, and for one that would keep nothing."""
        numbers = {field.name: getattr(self, field.name) for field in fields(self)}
        if wrong := next((name for name, number in numbers.items() if number < 0), None):
            raise InvalidRequest(f"{wrong} cannot be less than none. {UNCHANGED}", field=wrong)
        if not any(numbers.values()):
            raise InvalidRequest(f"This would keep no recovery point at all. {UNCHANGED}", field="last")


def read_numbers(words: Iterable[str]) -> dict[str, int]:
    """What is kept, as people write it. Raises InvalidRequest.

    >>> read_numbers(["daily=7", "weekly=4"])
    {'daily': 7, 'weekly': 4}
    """
    known = {field.name for field in fields(Retention)}
    found = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in known or not number.isdecimal():
            said = f"{word[:40]!r} does not say what to keep; write daily=7, with one of {', '.join(sorted(known))}"
            raise InvalidRequest(f"{said}. Nothing was changed.", field="keep")
        found[name] = int(number)
    return found


Period = Callable[[datetime], tuple[int, ...]]
PERIODS: Mapping[str, Period] = {
    "hourly": lambda at: (at.year, at.month, at.day, at.hour),
    "daily": lambda at: (at.year, at.month, at.day),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: (at.year,),
}


def reasons_to_keep(points: Iterable[RecoveryPoint], retention: Retention, zone: tzinfo) -> dict[str, list[str]]:
    """Why each point is kept, by its id, newest first; those for which there is no reason have an empty list.

    Periods begin and end by the clock of `zone`. A week is that of ISO 8601.
    """
    ordered = sorted(points, key=lambda point: point.at, reverse=True)
    reasons: dict[str, list[str]] = {point.id: [] for point in ordered}
    for point in ordered[: retention.last]:
        reasons[point.id].append("last")
    for name, period in PERIODS.items():
        for point in _newest_of_each(ordered, period, zone, getattr(retention, name)):
            reasons[point.id].append(name)
    for point in ordered:
        if ordered[0].at - point.at < timedelta(days=retention.within_days):
            reasons[point.id].append("within")
    if proven := next((point for point in ordered if point.proven_at), None):
        reasons[proven.id].append("last proven")
    return reasons


def to_give_up(
    points: Sequence[RecoveryPoint], retention: Retention, zone: tzinfo, *, now: datetime, taken: Iterable[datetime] = ()
) -> list[RecoveryPoint]:
    """The points that are not kept, oldest first. Raises Conflict while something seems lost, or the clock wrong.

    `taken` is when backups were made whose points may have been given up since: where there are none, a pause is none of the clock's.
    """
    _require_a_clock_that_is_right(points, now)
    if retention.within_days:  # numbers count points, whatever their age
        _require_no_jump([*taken, *(point.at for point in points)])
    _require_that_nothing_shrank(points)
    reasons = reasons_to_keep(points, retention, zone)
    return sorted((point for point in points if not reasons[point.id]), key=lambda point: point.at)


def _newest_of_each(ordered: Sequence[RecoveryPoint], period: Period, zone: tzinfo, number: int) -> list[RecoveryPoint]:
    newest: dict[tuple[int, ...], RecoveryPoint] = {}
    for point in ordered:
        newest.setdefault(period(point.at.astimezone(zone)), point)
    return list(newest.values())[:number]


def _require_a_clock_that_is_right(points: Iterable[RecoveryPoint], now: datetime) -> None:
    if ahead := [point for point in points if point.at > now + AHEAD_OF_THE_CLOCK]:
        raise Conflict(
            f"Recovery point {ahead[0].id} is from {ahead[0].at:%Y-%m-%d %H:%M %Z}, which is yet to come: a clock was stepped. {UNCHANGED} "
            "Correct the clock; if it was wrong when the point was made, forget that point by hand."
        )


def _require_no_jump(taken: Iterable[datetime]) -> None:
    """Raises Conflict where the newest points are much later than those before, all of which may only then seem to be too old."""
    moments = sorted(taken, reverse=True)
    older = [at for at in moments if moments[0] - at >= REST]
    if not older:
        return
    first = min(at for at in moments if moments[0] - at < REST)
    usual = max((later - earlier for later, earlier in pairwise(older)), default=timedelta())
    if first - older[0] > max(REST, USUAL_PAUSES * usual):
        raise Conflict(
            f"The recovery point of {first:%Y-%m-%d %H:%M %Z} came {(first - older[0]).days} days after the one before: no backup was made "
            f"for long, or a clock was set forward. {UNCHANGED} Correct the clock; if it is right, the old ones go in {REST.days} days."
        )


def _require_that_nothing_shrank(points: Iterable[RecoveryPoint]) -> None:
    dumped = sorted((point for point in points if point.record.get("sizes", {}).get("database")), key=lambda point: point.at)
    if len(dumped) > 1 and (newest := _dump_bytes(dumped[-1])) < SHRUNK * (before := _dump_bytes(dumped[-2])):
        raise Conflict(
            f"The database of {dumped[-1].instance} has shrunk: its last dump has {newest:,} bytes, the one before had {before:,}. "
            f"{UNCHANGED} See whether something was lost; the next recovery point of its new size lets the old ones go."
        )


def _dump_bytes(point: RecoveryPoint) -> int:
    return int(point.record["sizes"]["database"])
