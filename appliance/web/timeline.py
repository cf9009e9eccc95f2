"""Where one can go back to, drawn along the last days: the recovery points, and the stretches in which every change was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from appliance.domain.instance import RecoveryPoint
from appliance.web.formats import exact
from appliance.web.languages import gettext

SHOWN = timedelta(days=14)
WIDTH = 1000
"""Of the drawing; the page stretches it."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A recovery point, at `x`."""

    point: RecoveryPoint
    x: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """From `begins` to `ends` one log was received; whether a base and all of it lead to a moment between, a restore's preflight says."""

    begins: datetime
    ends: datetime
    x: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The last days, up to now."""

    since: datetime
    ticks: Sequence[Tick]
    stretches: Sequence[Stretch]

    @property
    def newest(self) -> Stretch | None:
        """The stretch that ends last."""
        return self.stretches[-1] if self.stretches else None


def timeline(points: Sequence[RecoveryPoint], now: datetime, *, shipped_until: datetime | None = None) -> Timeline:
    """Of one CRM. Up to `shipped_until` the log that is received now lies in the repository."""
    since, ordered = now - SHOWN, sorted(points, key=lambda point: point.at)
    found = []
    for begins, ends in _stretches(ordered, shipped_until):
        if ends > max(begins, since):
            left = _x(max(begins, since), since)
            found.append(Stretch(begins=begins, ends=ends, x=left, width=round(_x(min(ends, now), since) - left, 1)))
    ticks = [Tick(point=point, x=_x(point.at, since), text=_text(point)) for point in ordered if since <= point.at <= now]
    return Timeline(since=since, ticks=ticks, stretches=found)


def _stretches(ordered: Sequence[RecoveryPoint], shipped_until: datetime | None) -> list[tuple[datetime, datetime]]:
    """Of each log from its first recovery point to its last, the newest of them as far as it was shipped."""
    marked = [point for point in ordered if point.is_in_log]
    groups = [list(group) for _, group in groupby(marked, key=lambda point: point.record["wal"]["log"])]
    found = [(group[0].at, group[-1].at) for group in groups]
    if found and shipped_until:
        found[-1] = (found[-1][0], max(found[-1][1], shipped_until))
    return found


def _x(moment: datetime, since: datetime) -> float:
    return round(WIDTH * ((moment - since) / SHOWN), 1)


def _text(point: RecoveryPoint) -> str:
    proof = gettext("proven") if point.proven_at else gettext("unproven")
    return f"{exact(point.at)}: {proof}"
