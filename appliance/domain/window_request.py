"""A maintenance window as people ask for it, in the panel, by the API and on the command line; and why it is refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.domain.window import CRON_FIELDS, Blackout, Window
from appliance.errors import InvalidRequest

SHORTEST_MINUTES, LONGEST_MINUTES = 5, 24 * 60
BEGIN_PATTERN = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
LONGEST_DAYS = 100


@dataclass(frozen=True, kw_only=True)
class WindowRequest:
    """What somebody typed, unchecked; `days` and `begin` are a Window's. A blackout is "2026-12-24" or "2026-12-24..2027-01-02"."""

    days: str
    begin: str
    minutes: int
    time_zone: str
    blackouts: Sequence[str] = ()


def read_window(asked: WindowRequest, now: datetime) -> Window:
    """The window that is asked for. Raises InvalidRequest, naming the field: also for one that never comes."""
    if not BEGIN_PATTERN.fullmatch(asked.begin):
        raise _refused(f"{asked.begin[:20]!r} is not a time of day, as in 02:00", "begin")
    if not SHORTEST_MINUTES <= asked.minutes <= LONGEST_MINUTES:
        raise _refused(f"A window is {SHORTEST_MINUTES} to {LONGEST_MINUTES} minutes long", "minutes")
    if len(asked.days) > LONGEST_DAYS or len(asked.days.split()) not in (1, CRON_FIELDS):
        raise _refused("Days are one word, as SUN or MON-FRI, or three fields of cron", "days")
    window = Window(
        days=asked.days,
        begin=asked.begin,
        length=timedelta(minutes=asked.minutes),
        time_zone=_read_time_zone(asked.time_zone),
        blackouts=tuple(map(_read_blackout, asked.blackouts)),
    )
    if window.next(now) is None:
        raise _refused(f"The window {window} never comes", "days")
    return window


def _read_time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused(f"{text[:40]!r} is not a time zone, as in Europe/Berlin", "time_zone") from None


def _read_blackout(text: str) -> Blackout:
    first, separator, last = text.partition("..")
    try:
        blackout = Blackout(first=date.fromisoformat(first), last=date.fromisoformat(last if separator else first))
    except ValueError:
        said = f"{text[:40]!r} is neither a date, as in 2026-12-24, nor two, as in 2026-12-24..2027-01-02"
        raise _refused(said, "blackouts") from None
    if blackout.last < blackout.first:
        raise _refused(f"The blackout {blackout} ends before it begins", "blackouts")
    return blackout


def _refused(problem: str, field: str) -> InvalidRequest:
    return InvalidRequest(f"{problem}. Nothing was changed.", field=field)
