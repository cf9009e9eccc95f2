"""Maintenance windows: when unattended work may begin, in people's own time zone, and what to do about a window that was missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from appliance.errors import InvalidRequest

DAY = timedelta(days=1)
HORIZON = timedelta(days=3653)
"""How far ahead a window is looked for; one that does not come within ten years never does."""
CRON_FIELDS = 3


class CatchUp(StrEnum):
    """What happens when a window has passed and nothing was done in it: the appliance was off, the instance busy."""

    NEXT_WINDOW = "next-window"
    """Nothing before the next window."""
    SOON = "soon"
    """As soon as it can be done, outside of any window, but not on a blackout date."""


class Timing(StrEnum):
    """How a window stands to the present."""

    NOW = "now"
    """It is open."""
    LATE = "late"
    """It has passed and is to be caught up."""
    MISSED = "missed"
    """It has passed and is left to the next one."""


@dataclass(frozen=True, kw_only=True)
class Blackout:
    """Dates, both included, on which nothing is done; in the window's time zone."""

    first: date
    last: date

    def touches(self, first: date, last: date) -> bool:
        """Whether any date from `first` to `last` is one of them."""
        return self.first <= last and first <= self.last

    def __str__(self) -> str:
        """As it is typed: "2026-12-24" or "2026-12-24..2027-01-02"."""
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One time that a window is open: from `begins` up to, not including, `ends`; in UTC."""

    begins: datetime
    ends: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether it is open at that moment."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, kw_only=True)
class Due:
    """An occurrence that nothing was done in yet; `missed` counts those before it, of which the same is true."""

    occurrence: Occurrence
    timing: Timing
    missed: int


@dataclass(frozen=True, kw_only=True)
class Window:
    """A time that comes again: on `days`, from `begin` ("02:00") in a time zone, for a length. `read_window` makes it.

    `days` are days of the week as cron writes them (`SUN`, `MON-FRI`, `SUN#2` for the second Sunday of a month, `5L` for the last
    Friday), or cron's last three fields: day of the month, month, day of the week (`L * *` is the last day of each month).

    As Debian's cron does, a window whose beginning falls into the hour that is skipped in spring begins at the end of that hour,
    and one in the hour that comes twice in autumn begins the first time only. Its length is time that passes: three hours are three
    hours in both nights. An occurrence any part of which lies on a blackout date does not take place.

    With `every`, it begins anew each such time until the window closes, or the next one opens. `delay` is how much later than `begin` it
    begins, so that not all of them begin at once; where somebody asks for a `jitter`, it is chosen once, at random, up to that.
    """

    days: str
    begin: str
    length: timedelta
    time_zone: str = "UTC"
    blackouts: tuple[Blackout, ...] = ()
    every: timedelta | None = None
    jitter: timedelta = timedelta()
    delay: timedelta = timedelta()

    def occurrences(self, since: datetime) -> Iterator[Occurrence]:
        """Those that end after `since`, in order, for the next ten years."""
        for opening, following in pairwise(chain(self._openings(since), [None])):
            assert opening is not None  # noqa: S101 - only the last one is followed by none
            for found in self._parts(opening, until=min(opening.ends, following.begins) if following else opening.ends):
                if found.ends > since:
                    yield found

    def _parts(self, opening: Occurrence, until: datetime) -> Iterator[Occurrence]:
        begins = opening.begins + self.delay
        if self.every is None:
            yield Occurrence(begins=begins, ends=opening.ends)
            return
        while begins < until:
            yield Occurrence(begins=begins, ends=min(begins + self.every, opening.ends))
            begins += self.every

    def _openings(self, since: datetime) -> Iterator[Occurrence]:
        seen = datetime.min.replace(tzinfo=UTC)
        for local in self._beginnings((since - self.length - DAY).astimezone(self._zone)):
            begins = local.astimezone(UTC)
            if begins > since + HORIZON:
                return
            found = Occurrence(begins=begins, ends=begins + self.length)
            if begins > seen and found.ends > since and not self.is_blacked_out(begins, found.ends):
                yield found
            seen = max(seen, begins)  # where a whole day is skipped, two beginnings are one

    def current(self, now: datetime) -> Occurrence | None:
        """The occurrence that is open; the later one where two overlap."""
        found = None
        for occurrence in self.occurrences(now):
            if occurrence.begins > now:
                break
            found = occurrence
        return found

    def next(self, now: datetime) -> Occurrence | None:
        """The first occurrence that begins after now; None when blackout dates leave none within ten years."""
        return next((occurrence for occurrence in self.occurrences(now) if occurrence.begins > now), None)

    def is_blacked_out(self, begins: datetime, ends: datetime) -> bool:
        """Whether any part of that time lies on a blackout date."""
        first = begins.astimezone(self._zone).date()
        last = max(first, (ends - timedelta.resolution).astimezone(self._zone).date())
        return any(blackout.touches(first, last) for blackout in self.blackouts)

    def _beginnings(self, after: datetime) -> Iterator[datetime]:
        hour, minute = (int(part) for part in self.begin.split(":"))
        days = self.days.upper().replace("-SUN", "-7")  # a week ends with its Sunday, which cron also calls 7
        fields = days if len(days.split()) == CRON_FIELDS else f"* * {days}"
        try:
            yield from CronSim(f"{minute} {hour} {fields}", after)
        except CronSimError as error:
            raise InvalidRequest(
                f"{self.days!r} does not say on which days ({str(error).lower()}): write SUN, MON-FRI, FRI,SAT,SUN, SUN#2 or three fields "
                "of cron. Nothing was changed.",
                field="days",
            ) from None

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def __str__(self) -> str:
        """For people: "SUN 02:00, 180 min, Europe/Berlin"."""
        without = f", not on {', '.join(map(str, self.blackouts))}" if self.blackouts else ""
        anew = f", each {_minutes(self.every)} min" if self.every else ""
        later = f", {_minutes(self.delay)} min later" if self.delay else ""
        return f"{self.days} {self.begin}, {_minutes(self.length)} min{anew}{later}, {self.time_zone}{without}"


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds() // 60)


def due(window: Window, *, since: datetime, now: datetime, catch_up: CatchUp) -> Due | None:
    """The last occurrence that began after `since`, up to now: open, to be caught up, or missed; None when there is none.

    `since` is the beginning of the last occurrence that was dealt with, or the moment from which the window counts.
    """
    begun = []
    for occurrence in window.occurrences(since):
        if occurrence.begins > now:
            break
        if occurrence.begins > since:
            begun.append(occurrence)
    if not begun:
        return None
    late = catch_up is CatchUp.SOON and not window.is_blacked_out(now, now)
    timing = Timing.NOW if begun[-1].is_open(now) else Timing.LATE if late else Timing.MISSED
    return Due(occurrence=begun[-1], timing=timing, missed=len(begun) - 1)
