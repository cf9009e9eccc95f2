"""What the monitor's ledger says of each CRM over time: shares of days, and when it was away."""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.config import Settings
from appliance.domain.measures import duration
from monitoring.clock import Moment, open_clock
from monitoring.exporter.promises import BUDGET_WINDOW
from monitoring.ledger import Ledger, Outage, Uptime
from monitoring.schema import LedgerTooNew

WINDOWS = (("24 hours", timedelta(days=1)), ("7 days", timedelta(days=7)), ("30 days", timedelta(days=30)), ("90 days", timedelta(days=90)))
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
            return [_uptime(ledger, name, _moment(now), outages) for name in names]
    except (sqlite3.Error, LedgerTooNew):
        return []


def budget_told(spent: Uptime, promised: float) -> str:
    """What is left of the downtime that a promise allows, in words; never rounded up."""
    if spent.observed_ratio is None:
        return f"{promised * 100:.6g} % promised; nothing was seen yet"
    left_percent = round(100 - 100 * (1 - spent.observed_ratio) / (1 - promised), 6)
    left = f"{math.floor(left_percent)} % of the error budget left"
    over = f"the error budget is overdrawn by {math.ceil(-left_percent)} %"
    return f"{promised * 100:.6g} % of 30 days promised: {left if left_percent >= 0 else over}"


def percent(ratio: float | None) -> str:
    """A share of time, never rounded up to what it was not: 99.996 % is not 100 %."""
    if ratio is None:
        return "–"
    if ratio in (0.0, 1.0):
        return f"{ratio:.0%}".replace("%", " %")
    return f"{int(ratio * 100_000) / 1000:.3f} %"


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
        window=window,
        observed=percent(spent.observed_ratio),
        pessimistic=percent(spent.pessimistic_ratio),
        coverage=percent(spent.coverage_ratio),
        away=timedelta(seconds=spent.down_seconds),
    )


def _bars(days: Sequence[Uptime], now: datetime) -> list[DayBar]:
    today = now.astimezone(UTC).date()
    dates = [today - timedelta(days=ago) for ago in reversed(range(len(days)))]
    return [DayBar(tone=_tone(spent), text=f"{date.isoformat()}: {_told(spent)}") for date, spent in zip(dates, days, strict=True)]


def _tone(spent: Uptime) -> str:
    if spent.observed_ratio is None:
        return "maintenance" if spent.maintenance_seconds else "unseen"
    return "down" if spent.down_seconds else "degraded" if spent.degraded_seconds else "up"


def _told(spent: Uptime) -> str:
    parts = {"down": spent.down_seconds, "degraded": spent.degraded_seconds, "maintenance": spent.maintenance_seconds}
    said = [f"{name} for {duration(timedelta(seconds=seconds))}" for name, seconds in parts.items() if seconds]
    if spent.unknown_seconds:
        said.append(f"nobody looked for {duration(timedelta(seconds=spent.unknown_seconds))}")
    if spent.observed_ratio is None:
        return ", ".join(said) or "not watched"
    return ", ".join([f"{percent(spent.observed_ratio)} up", *said])


def _moment(now: datetime) -> Moment:
    here = open_clock()()
    return Moment(wall=now, boot_seconds=here.boot_seconds - (here.wall - now).total_seconds(), boot_id=here.boot_id)
