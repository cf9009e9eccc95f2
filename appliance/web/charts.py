"""What pages draw: how recovery points came over the days, what each added, and how long drills took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from appliance.domain.instance import RecoveryPoint

WEEK = 7
SHOWN_WEEKS = 6
SHOWN_BARS = 40


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of the calendar: how many recovery points were taken on it, and whether one of them is proven."""

    date: date
    points: int
    proven: bool
    is_to_come: bool

    @property
    def tone(self) -> str:
        """What the day looks like."""
        return "to-come" if self.is_to_come else "proven" if self.proven else "taken" if self.points else "none"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a chart: its height in percent of the highest, and the words for whoever points at it."""

    percent: float
    text: str
    tone: str = ""


def calendar(points: Sequence[RecoveryPoint], now: datetime) -> list[list[Day]]:
    """The last weeks, each from Monday to Sunday, in UTC; the last one is this week's."""
    today = now.date()
    monday = today - timedelta(days=today.weekday() + WEEK * (SHOWN_WEEKS - 1))
    taken: dict[date, list[RecoveryPoint]] = {}
    for point in points:
        taken.setdefault(point.at.date(), []).append(point)
    days = [monday + timedelta(days=number) for number in range(WEEK * SHOWN_WEEKS)]
    made = [_day(day, taken, today) for day in days]
    return [made[first : first + WEEK] for first in range(0, len(made), WEEK)]


def bars(values: Sequence[tuple[float, str, str]]) -> list[Bar]:
    """Bars for the newest of some values, which come with their words and tone, oldest first."""
    shown = values[-SHOWN_BARS:]
    highest = max((value for value, _, _ in shown), default=0) or 1
    return [Bar(percent=round(100 * value / highest, 1), text=text, tone=tone) for value, text, tone in shown]


def _day(day: date, taken: Mapping[date, Sequence[RecoveryPoint]], today: date) -> Day:
    points = taken.get(day, ())
    return Day(date=day, points=len(points), proven=any(point.proven_at for point in points), is_to_come=day > today)
