"""An operation's log as it is shown to somebody who helps, by a link and without a log-in: redacted when the link was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.errors import InvalidRequest

FEWEST_DAYS, MOST_DAYS, USUAL_DAYS = 1, 30, 7


@dataclass(frozen=True, kw_only=True)
class SharedStep:
    """A step; its times are lengths, since moments would tell who it is."""

    title: str
    status: str
    detail: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class SharedLine:
    """A line, so long after the operation began."""

    seconds: float
    step: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SharedLog:
    """What is shown. `earlier` lines are left out before the first."""

    kind: str
    status: str
    version: str
    seconds: float | None
    cause: str
    next_action: str
    steps: Sequence[SharedStep]
    lines: Sequence[SharedLine]
    earlier: int


@dataclass(frozen=True, kw_only=True)
class Share:
    """A link: the token itself is not kept."""

    id: str
    operation: int
    by: str
    at: datetime
    until: datetime


def check_days(days: int) -> timedelta:
    """How long a link lasts. Raises InvalidRequest."""
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise InvalidRequest(f"A link lasts for {FEWEST_DAYS} to {MOST_DAYS} days. Nothing was changed.", field="days")
    return timedelta(days=days)
