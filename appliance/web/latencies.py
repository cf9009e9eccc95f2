"""How fast each CRM answers: percentiles of its probes, day by day, and what is left of what was promised."""

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.config import Settings
from appliance.web import formats
from appliance.web.charts import Bar, bars
from appliance.web.formats import per_cent, percent
from appliance.web.languages import gettext, looked_up, marked
from appliance.web.uptimes import left_told
from monitoring.clock import moment_at
from monitoring.latencies import COUNTED, Buckets, add_up, quantile, share_within
from monitoring.ledger import Ledger
from monitoring.schema import LedgerTooNew
from monitoring.targets import Promises

TITLES = {"ready": marked("A page"), "deep": marked("Log in and read")}
"""What the probes that count do, in words."""
SHARES = (0.5, 0.95, 0.99)
WINDOWS = ((marked("today"), 1), ("7 days", 7), ("30 days", 30))
DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Row:
    """A probe in a window: its percentiles as texts, a dash where it was not asked."""

    window: str
    percentiles: Sequence[str]
    checks: str


@dataclass(frozen=True, kw_only=True)
class ProbeLatency:
    """One probe: the 95th percentile of each day as bars, and the windows."""

    title: str
    days: Sequence[Bar]
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True)
class CrmLatency:
    """One CRM's part of the page."""

    probes: Sequence[ProbeLatency]
    budget: str


def latencies_of(settings: Settings, promised: Mapping[str, Promises], *, now: datetime) -> dict[str, CrmLatency]:
    """By CRM, of those that were asked at all. Without a ledger, nothing is known of any."""
    if not settings.ledger_file.exists():
        return {}
    moment, found = moment_at(now), {}
    try:
        with Ledger(settings.ledger_file) as ledger:
            for name, promises in promised.items():
                days = {TITLES[probe]: ledger.latencies(name, probe, DAYS, moment) for probe in COUNTED}
                if any(sum(add_up(of)) for of in days.values()):
                    found[name] = _latency(days, promises, now)
    except (sqlite3.Error, LedgerTooNew):
        return {}
    return found


def seconds_told(seconds: float | None) -> str:
    """A figure that is known to its bucket only.

    >>> seconds_told(0.0417), seconds_told(1.234), seconds_told(math.inf)
    ('42 ms', '1.2 s', 'over 10 s')
    """
    if seconds is None:
        return "–"
    if math.isinf(seconds):
        return gettext("over 10 s")
    return formats.seconds_told(seconds)


def latency_budget_told(buckets: Buckets, promises: Promises) -> str:
    """What is left of the slow probes that a promise allows; never rounded up."""
    within = share_within(buckets, promises.latency_seconds)
    share, limit = per_cent(f"{promises.latency_ratio * 100:.6g}"), f"{promises.latency_seconds:g} s"
    wanted = gettext("%(share)s of the probes within %(limit)s promised", share=share, limit=limit)
    if within is None:
        return gettext("%(wanted)s; none was seen yet", wanted=wanted)
    left_percent = round(100 - 100 * (1 - within) / (1 - promises.latency_ratio), 6)
    return gettext(
        "%(wanted)s: %(share)s of 30 days were, %(budget)s", wanted=wanted, share=percent(within), budget=left_told(left_percent)
    )


def _latency(days: Mapping[str, Sequence[Buckets]], promises: Promises, now: datetime) -> CrmLatency:
    probes = [_probe(title, of, promises, now) for title, of in days.items() if sum(add_up(of))]
    every = add_up(add_up(of) for of in days.values())
    return CrmLatency(probes=probes, budget=latency_budget_told(every, promises))


def _probe(title: str, days: Sequence[Buckets], promises: Promises, now: datetime) -> ProbeLatency:
    windows = [(name, add_up(days[-length:])) for name, length in WINDOWS]
    rows = [
        Row(
            window=looked_up(name),
            percentiles=[seconds_told(quantile(buckets, share)) for share in SHARES],
            checks=formats.count(sum(buckets)),
        )
        for name, buckets in windows
    ]
    today = now.astimezone(UTC).date()
    dates = [today - timedelta(days=ago) for ago in reversed(range(len(days)))]
    slowest = [quantile(buckets, SHARES[1]) for buckets in days]
    values = [
        (min(seconds or 0.0, 10.0), f"{formats.day(date)}: {seconds_told(seconds)}", _tone(seconds, promises))
        for date, seconds in zip(dates, slowest, strict=True)
    ]
    return ProbeLatency(title=looked_up(title), days=bars(values), rows=rows)


def _tone(seconds: float | None, promises: Promises) -> str:
    if seconds is None:
        return "unseen"
    return "up" if seconds <= promises.latency_seconds else "degraded"
