"""What the monitor's ledger says of each CRM over time: shares of days, and when it was away."""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.config import Settings
from appliance.domain.notice import Notice
from appliance.web.formats import day, duration, per_cent, percent
from appliance.web.languages import gettext, looked_up, marked
from monitoring.clock import Moment, moment_at
from monitoring.exporter.promises import BUDGET_WINDOW
from monitoring.ledger import Ledger, Outage, Uptime
from monitoring.schema import LedgerTooNew

WINDOWS = (
    (marked("24 hours"), timedelta(days=1)),
    (marked("7 days"), timedelta(days=7)),
    (marked("30 days"), timedelta(days=30)),
    (marked("90 days"), timedelta(days=90)),
)
SHOWN_DAYS = 90
MOST_OUTAGES = 1000


@dataclass(frozen=True, kw_only=True)
class Share:
    """How a window was spent; the shares are texts, and a dash where nobody looked at all."""

    window: str
    observed: str
    pessimistic: str
    coverage: str
    away: timedelta


@dataclass(frozen=True, kw_only=True)
class DayBar:
    """One day: its tone, and the words for whoever points at it."""

    tone: str
    text: str


@dataclass(frozen=True, kw_only=True)
class CrmUptime:
    """One CRM's part of the page."""

    name: str
    month: Uptime
    shares: Sequence[Share]
    days: Sequence[DayBar]
    outages: Sequence[Outage]


def uptimes_of(settings: Settings, names: Sequence[str], *, now: datetime, outages: int) -> list[CrmUptime]:
    """What the ledger says of each CRM, with so many of its newest outages. Without a ledger, nothing is known of any."""
    if not settings.ledger_file.exists():
        return []
    try:
        with Ledger(settings.ledger_file) as ledger:
            return [_uptime(ledger, name, moment_at(now), outages) for name in names]
    except (sqlite3.Error, LedgerTooNew):
        return []


def budget_told(spent: Uptime, promised: float) -> str:
    """What is left of the downtime that a promise allows, in words; never rounded up."""
    share = per_cent(f"{promised * 100:.6g}")
    if spent.observed_ratio is None:
        return gettext("%(share)s promised; nothing was seen yet", share=share)
    left_percent = round(100 - 100 * (1 - spent.observed_ratio) / (1 - promised), 6)
    return gettext("%(share)s of 30 days promised: %(budget)s", share=share, budget=left_told(left_percent))


def left_told(left_percent: float) -> str:
    """What is left of an error budget, never rounded up; below zero it is overdrawn."""
    if left_percent >= 0:
        return gettext("%(share)s of the error budget left", share=per_cent(str(math.floor(left_percent))))
    return gettext("the error budget is overdrawn by %(share)s", share=per_cent(str(math.ceil(-left_percent))))


def notes_about(outage: Outage, notices: Sequence[Notice]) -> list[Notice]:
    """What was written about an outage, oldest first."""
    return [one for one in reversed(notices) if one.outage_at == outage.started_at]


def _uptime(ledger: Ledger, name: str, moment: Moment, outages: int) -> CrmUptime:
    return CrmUptime(
        name=name,
        month=ledger.uptime(name, BUDGET_WINDOW, moment),
        shares=[_share(window, ledger.uptime(name, length, moment)) for window, length in WINDOWS],
        days=_bars(ledger.days(name, SHOWN_DAYS, moment), moment.wall),
        outages=ledger.outages(name, limit=MOST_OUTAGES)[:outages] if outages else [],
    )


def _share(window: str, spent: Uptime) -> Share:
    return Share(
        window=looked_up(window),
        observed=percent(spent.observed_ratio),
        pessimistic=percent(spent.pessimistic_ratio),
        coverage=percent(spent.coverage_ratio),
        away=timedelta(seconds=spent.down_seconds),
    )


def _bars(days: Sequence[Uptime], now: datetime) -> list[DayBar]:
    today = now.astimezone(UTC).date()
    dates = [today - timedelta(days=ago) for ago in reversed(range(len(days)))]
    return [DayBar(tone=_tone(spent), text=f"{day(date)}: {_told(spent)}") for date, spent in zip(dates, days, strict=True)]


def _tone(spent: Uptime) -> str:
    if spent.observed_ratio is None:
        return "maintenance" if spent.maintenance_seconds else "unseen"
    return "down" if spent.down_seconds else "degraded" if spent.degraded_seconds else "up"


def _told(spent: Uptime) -> str:
    parts = {
        looked_up(marked("down for %(length)s")): spent.down_seconds,
        looked_up(marked("degraded for %(length)s")): spent.degraded_seconds,
        looked_up(marked("maintenance for %(length)s")): spent.maintenance_seconds,
        looked_up(marked("nobody looked for %(length)s")): spent.unknown_seconds,
    }
    said = [text % {"length": duration(timedelta(seconds=seconds))} for text, seconds in parts.items() if seconds]
    if spent.observed_ratio is None:
        return ", ".join(said) or gettext("not watched")
    return ", ".join([gettext("%(share)s up", share=percent(spent.observed_ratio)), *said])
