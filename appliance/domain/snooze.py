"""A snooze: something that needs attention is left out of sight for a while, because somebody said so."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.domain.measures import duration
from appliance.errors import InvalidRequest

USUAL = timedelta(days=1)
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Snooze:
    """What is known by `key` is out of sight until then; who said so, and when. A worse thing has another key, and is seen at once."""

    key: str
    until: datetime
    by: str
    at: datetime


def longest(severity: str) -> timedelta:
    """How long something may be out of sight: what is red, a day."""
    return USUAL if severity == "red" else LONGEST


def check_length(length: timedelta, severity: str) -> None:
    """Raises InvalidRequest for one that is too short or too long."""
    if not SHORTEST <= length <= longest(severity):
        most = duration(longest(severity))
        raise InvalidRequest(f"What is {severity} can be snoozed for a minute to {most}. Nothing was changed.", field="length")
