"""A maintenance window as people ask for it, in the panel, by the API and on the command line; and why it is refused."""

import re
import secrets
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
    """What somebody typed, unchecked; `days` and `begin` are a Window's. A blackout is "2026-12-24" or "2026-12-24..2027-01-02".

    `every` and `jitter` are minutes, 0 for none.
    """

    days: str
    begin: str
    minutes: int
    time_zone: str
    blackouts: Sequence[str] = ()
    every: int = 0
    jitter: int = 0


def read_window(asked: WindowRequest, now: datetime) -> Window:
    """The window that is asked for. Raises InvalidRequest, naming the field: also for one that never comes."""
    if not BEGIN_PATTERN.fullmatch(asked.begin):
        raise _refused(f"{asked.begin[:20]!r} is not a time of day, as in 02:00", "begin")
    if not SHORTEST_MINUTES <= asked.minutes <= LONGEST_MINUTES:
        raise _refused(f"A window is {SHORTEST_MINUTES} to {LONGEST_MINUTES} minutes long", "minutes")
    if len(asked.days) > LONGEST_DAYS or len(asked.days.split()) not in (1, CRON_FIELDS):
        raise _refused("Days are one word, as SUN or MON-FRI, or three fields of cron", "days")
    _check_parts(asked)
    window = Window(
        days=asked.days,
        begin=asked.begin,
        length=timedelta(minutes=asked.minutes),
        time_zone=_read_time_zone(asked.time_zone),
        blackouts=tuple(map(_read_blackout, asked.blackouts)),
        every=timedelta(minutes=asked.every) if asked.every else None,
        jitter=timedelta(minutes=asked.jitter),
        delay=timedelta(minutes=secrets.randbelow(asked.jitter + 1)),
    )
    if window.next(now) is None:
        raise _refused(f"The window {window} never comes", "days")
    return window


def _check_parts(asked: WindowRequest) -> None:
    if asked.every and not SHORTEST_MINUTES <= asked.every <= asked.minutes:
        raise _refused(f"Work begins anew after {SHORTEST_MINUTES} minutes at the soonest, and before the window closes", "every")
    half = (asked.every or asked.minutes) // 2
    if not 0 <= asked.jitter <= half:
        raise _refused(f"The jitter is up to half of the time that there is, {half} minutes", "jitter")


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
