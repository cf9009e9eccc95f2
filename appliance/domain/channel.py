"""Where people are notified: a channel, what it is told of, and when it keeps quiet."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.errors import InvalidRequest

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
QUIET_PATTERN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
LONGEST_NAME = 40
DIGEST_WEEKDAY, DIGEST_TIME = 0, time(7)
"""A digest is sent on Monday at seven, in the time zone of the channel's quiet hours, or in UTC."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


class Purpose(StrEnum):
    """What a channel is for."""

    ALERTS = "alerts"
    """It is told what fires and what is over."""
    HEARTBEAT = "heartbeat"
    """Its address is asked for each minute for as long as alerts are evaluated; whoever is behind it alerts when that ends."""


class Severity(StrEnum):
    """How soon somebody has to look; the words are those of the alert rules."""

    CRITICAL = "critical"
    """Now. It is told in quiet hours, too."""
    WARNING = "warning"
    """On the next working day."""


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """From one time of day to another, over midnight if need be; in these, warnings wait."""

    begins: time
    ends: time
    zone: str

    def covers(self, now: datetime) -> bool:
        """Whether it is quiet at that moment."""
        local = now.astimezone(ZoneInfo(self.zone)).time()
        if self.begins < self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends

    def __str__(self) -> str:
        """As people type it, with its time zone."""
        return f"{self.begins:%H:%M}-{self.ends:%H:%M} {self.zone}"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Where it leads is a secret; `service` is what people call it. Without `crms` it is told of all, and of what belongs to no CRM.

    `told` is the number of the last change it was told, by severity. `failures` counts attempts since the last that succeeded;
    `note` says how the last one went.
    """

    name: str
    purpose: Purpose
    service: str
    created_at: datetime
    severities: tuple[Severity, ...] = tuple(Severity)
    crms: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    weekly: bool = False
    """Whether it is sent the digest of each week, too."""
    weekly_at: datetime | None = None
    """When it was sent the last one."""
    told: Mapping[str, int]
    note: str = ""
    noted_at: datetime | None = None
    sent: int = 0
    failed: int = 0
    failures: int = 0
    try_at: datetime | None = None

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Whether it is told of what has these labels."""
        return not self.crms or labels.get("crm", labels.get("subject")) in self.crms

    def is_due_a_digest(self, now: datetime) -> bool:
        """Whether a digest is to be sent: after its hour, late if nobody could send it then, and never in quiet hours."""
        is_quiet = self.quiet is not None and self.quiet.covers(now)
        return self.weekly and not is_quiet and (self.weekly_at or self.created_at) < self._digest_hour(now)

    def _digest_hour(self, now: datetime) -> datetime:
        """The last one that has come."""
        local = now.astimezone(ZoneInfo(self.quiet.zone if self.quiet else "UTC"))
        day = local.date() - timedelta(days=(local.weekday() - DIGEST_WEEKDAY) % 7)
        hour = datetime.combine(day, DIGEST_TIME, local.tzinfo)
        return hour if hour <= local else datetime.combine(day - timedelta(days=7), DIGEST_TIME, local.tzinfo)

    def severities_at(self, now: datetime) -> tuple[Severity, ...]:
        """What it may be told now; the rest waits."""
        is_quiet = self.quiet is not None and self.quiet.covers(now)
        return tuple(severity for severity in self.severities if severity is Severity.CRITICAL or not is_quiet)


def pause_after(failures: int) -> timedelta:
    """How long to wait after so many failed attempts in a row: twice as long each time, an hour at most.

    >>> [str(pause_after(failures)) for failures in (1, 2, 20)]
    ['0:00:30', '0:01:00', '1:00:00']
    """
    doublings = max(0, min(failures - 1, 10))
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << doublings))


def check_name(name: str, *, taken: Collection[str]) -> str:
    """Give it back if it can name a channel. Raises InvalidRequest."""
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        said = f"{name[:60]!r} cannot name a channel: use up to {LONGEST_NAME} small letters, digits and single dashes"
        raise InvalidRequest(f"{said}. Nothing was changed.", field="name")
    if name in taken:
        raise InvalidRequest(f"The name {name} is taken. Nothing was changed.", field="name")
    return name


def read_quiet(text: str, zone: str) -> QuietHours | None:
    """Hours as people type them: "22:00-06:30"; None for none. Raises InvalidRequest.

    >>> str(read_quiet("22:00-06:30", "UTC")), read_quiet(" ", "UTC")
    ('22:00-06:30 UTC', None)
    """
    if not text.strip():
        return None
    found = QUIET_PATTERN.fullmatch(text.strip())
    hours = [int(part) for part in found.groups()] if found else [0, 0, 0, 0]
    begins, ends = time(hours[0], hours[1]), time(hours[2], hours[3])
    if begins == ends:
        raise InvalidRequest(f"{text[:40]!r} are no hours; write them as 22:00-06:30. Nothing was changed.", field="quiet")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidRequest(f"{zone[:60]!r} is no time zone; write one as Europe/Berlin. Nothing was changed.", field="zone") from None
    return QuietHours(begins=begins, ends=ends, zone=zone)


def read_severities(words: Collection[str]) -> tuple[Severity, ...]:
    """Those that are named; all for none. Raises InvalidRequest."""
    known = {severity.value for severity in Severity}
    if unknown := sorted(set(words) - known):
        raise InvalidRequest(f"{unknown[0][:40]!r} is no severity; there are critical and warning. Nothing was changed.", field="severity")
    return tuple(severity for severity in Severity if not words or severity.value in words)
