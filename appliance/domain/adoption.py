"""Adoption: how much a CRM is worked with, by the answers of its own database. No person is named in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

KEPT = timedelta(days=90)
UNTOUCHED_DAYS = 90
MOST_DEPARTMENTS = 50
LONGEST_DEPARTMENT = 60
NO_DEPARTMENT = ""

Days = Mapping[date, Mapping[str, int]]
"""How many people changed something, by day (UTC) and department."""


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """Of one CRM. `problem` says why nobody answered when it was asked last, at `tried_at`; the figures are those of `asked_at` then.

    `departments` are those that the CRM has; people without one are counted under an empty name.
    """

    instance: str
    tried_at: datetime
    problem: str = ""
    asked_at: datetime | None = None
    records: int = 0
    untouched: int = 0
    newest_change: datetime | None = None
    departments: tuple[str, ...] = ()
    days: Days = field(default_factory=dict)

    @property
    def untouched_ratio(self) -> float:
        """The share of records that nobody has changed for 90 days; none of no records."""
        return self.untouched / self.records if self.records else 0.0

    def active_on(self, day: date, department: str) -> int:
        """How many people of a department changed something on a day."""
        return self.days.get(day, {}).get(department, 0)

    def last_active(self, department: str) -> date | None:
        """The last day on which somebody of a department changed something; None if that is not known."""
        return max((day for day, active in self.days.items() if active.get(department)), default=None)


def answered(instance: str, rows: Mapping[str, Sequence[Sequence[Any]]], *, before: Adoption | None, now: datetime) -> Adoption:
    """What the database has answered, with the days that were known before. Raises ValueError for what is no answer to such questions.

    Who changes a record again is counted on the new day and, in some products, no longer on the old one; so of each day the most that was
    ever told is kept.
    """
    users = [_active(row) for row in rows.get("active_users", ())]
    told: dict[date, dict[str, int]] = {day: dict(active) for day, active in before.days.items()} if before else {}
    for day, department, count in users:
        if day is not None:
            of_day = told.setdefault(day, {})
            of_day[department] = max(count, of_day.get(department, 0))
    departments = _named(department for _, department, _ in users)
    return Adoption(
        instance=instance,
        tried_at=now,
        asked_at=now,
        records=_number(rows, "records"),
        untouched=_number(rows, "untouched"),
        newest_change=_moment(rows, "newest_change"),
        departments=departments,
        days=_kept(told, {*departments, NO_DEPARTMENT}, now),
    )


def unanswered(instance: str, problem: str, *, before: Adoption | None, now: datetime) -> Adoption:
    """Nobody answered: what was known stays."""
    return replace(before or Adoption(instance=instance, tried_at=now), tried_at=now, problem=problem)


def _kept(days: Days, departments: set[str], now: datetime) -> Days:
    """Those of the last 90 days; and of each department the last on which somebody was active, however long ago."""
    first = (now - KEPT).astimezone(UTC).date()
    newest = {name: max((day for day, active in days.items() if active.get(name)), default=None) for name in departments}
    kept = {
        day: {name: count for name, count in active.items() if name in departments and count and (day >= first or day == newest[name])}
        for day, active in days.items()
    }
    return {day: active for day, active in sorted(kept.items()) if active}


def _named(found: Iterable[str]) -> tuple[str, ...]:
    """In the order of the alphabet, and no more than a chart or a metric can bear."""
    return tuple(sorted({name for name in found if name != NO_DEPARTMENT})[:MOST_DEPARTMENTS])


def _active(row: Sequence[Any]) -> tuple[date | None, str, int]:
    try:
        day, department, count = row
        name = " ".join(str(department or "").split())[:LONGEST_DEPARTMENT]
        return (None if day is None else date.fromisoformat(str(day)[:10])), name, max(0, int(count))
    except (TypeError, ValueError):
        raise ValueError("active_users gives rows that are no day, department and number") from None


def _only(rows: Mapping[str, Sequence[Sequence[Any]]], name: str) -> Any:
    try:
        return rows[name][0][0]
    except (KeyError, IndexError, TypeError):
        raise ValueError(f"{name} gives no row") from None


def _number(rows: Mapping[str, Sequence[Sequence[Any]]], name: str) -> int:
    try:
        return max(0, int(_only(rows, name)))
    except TypeError:
        raise ValueError(f"{name} gives no number") from None


def _moment(rows: Mapping[str, Sequence[Sequence[Any]]], name: str) -> datetime | None:
    """A time without a zone is UTC; None before the first change."""
    found = _only(rows, name)
    if found is None:
        return None
    moment = datetime.fromisoformat(str(found))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
