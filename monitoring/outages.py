"""When a target was away, from its intervals."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitoring.uptime import Interval


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time in which a CRM was down, for as long as `length` was seen; its two moments are labels, `ended_at` is None while it lasts.

    One that outlasts a gap or a set clock is one outage; what nobody saw of it is not part of its length.
    """

    crm: str
    started_at: datetime
    ended_at: datetime | None
    length: timedelta
    cause: str
    reason: str


def outages_of(down: Iterable[Interval], *, lasting: Interval | None) -> list[Outage]:
    """Outages from the intervals in which a target was down, oldest first; `lasting` is the one of them that has not ended."""
    found = list[Outage]()
    for interval in down:
        ended_at = None if interval == lasting else interval.ended_at
        if interval.continued and found:
            found[-1] = replace(found[-1], ended_at=ended_at, length=found[-1].length + timedelta(seconds=interval.seconds))
        else:
            found.append(
                Outage(
                    crm=interval.crm,
                    started_at=interval.started_at,
                    ended_at=ended_at,
                    length=timedelta(seconds=interval.seconds),
                    cause=interval.cause,
                    reason=interval.reason,
                )
            )
    return found
