"""What the page of backups shows of one CRM: its recovery points over the days, what is done by itself next, and what will be given up."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from appliance.config import Settings
from appliance.domain.instance import RecoveryPoint
from appliance.domain.retention import Retention, to_give_up
from appliance.domain.schedule import Schedule
from appliance.errors import Conflict
from appliance.store import Store
from appliance.web.charts import Bar, Day, bars, calendar
from appliance.web.formats import exact, size
from appliance.web.languages import gettext, ngettext
from appliance.web.timeline import Timeline, timeline
from monitoring.facts import LOG_SHIPPED
from monitoring.ledger import Ledger
from monitoring.schema import LedgerTooNew

COMING = 6
KINDS = ("backup", "drill", "check", "archive", "retention")


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A run that a schedule will request."""

    at: datetime
    schedule: Schedule


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One CRM's part of the page. `given_up` says what the next backup will give up, or why nothing is."""

    name: str
    points: Sequence[RecoveryPoint]
    weeks: Sequence[Sequence[Day]]
    line: Timeline
    growth: Sequence[Bar]
    coming: Sequence[Coming]
    given_up: str


def kept_of(store: Store, name: str, now: datetime, *, shipped_until: datetime | None = None) -> Kept:
    """All of it. Up to `shipped_until` every change lies in a repository, where every change is kept."""
    points = store.points.list(name)
    schedules = [one for one in store.schedules.of([name]) if one.kind in KINDS]
    return Kept(
        name=name,
        points=points,
        weeks=calendar(points, now),
        line=timeline(points, now, shipped_until=shipped_until),
        growth=growth(points),
        coming=coming(schedules, now),
        given_up=given_up(schedules, points, now, taken=store.operations.begun_at(instance=name, kind="backup")),
    )


def growth(points: Sequence[RecoveryPoint]) -> list[Bar]:
    """What each recovery point added to the repository, oldest first."""
    sized = [(float(point.record.get("bytes_added", 0)), point) for point in reversed(points)]
    return bars([(added, _told(point, added), "proven" if point.proven_at else "") for added, point in sized])


def _told(point: RecoveryPoint, added: float) -> str:
    grown = gettext("%(size)s added", size=size(added))
    return f"{exact(point.at)}: {grown}"


def coming(schedules: Sequence[Schedule], now: datetime) -> list[Coming]:
    """The next runs of those that are not paused, in their order."""
    runs = [
        Coming(at=occurrence.begins, schedule=schedule)
        for schedule in schedules
        if not schedule.paused
        for occurrence in islice((one for one in schedule.window.occurrences(now) if one.begins > now), COMING)
    ]
    return sorted(runs, key=lambda run: (run.at, run.schedule.name))[:COMING]


def given_up(schedules: Sequence[Schedule], points: Sequence[RecoveryPoint], now: datetime, *, taken: Sequence[datetime]) -> str:
    """What the next backup that keeps by a rule would give up, were it now."""
    rules = [schedule.parameters["keep"] for schedule in schedules if schedule.kind == "backup" and schedule.parameters.get("keep")]
    if not rules:
        return gettext("All recovery points are kept: no backup by itself says which ones.")
    try:
        going = to_give_up(points, Retention(**rules[0]), UTC, now=now, taken=taken)
    except Conflict as refused:
        return str(refused)
    rule = " ".join(f"{name}={number}" for name, number in rules[0].items())
    if not going:
        return gettext("By %(rule)s, none of the %(total)s recovery points would be given up now.", rule=rule, total=len(points))
    moments = ", ".join(exact(point.at) for point in going[:COMING])
    if len(going) > COMING:
        moments = gettext("%(list)s and %(count)s more", list=moments, count=len(going) - COMING)
    return ngettext(
        "By %(rule)s, %(num)s of the %(total)s recovery points would be given up now: %(moments)s.",
        "By %(rule)s, %(num)s of the %(total)s recovery points would be given up now: %(moments)s.",
        len(going),
        rule=rule,
        total=len(points),
        moments=moments,
    )


def shipped_until(settings: Settings) -> dict[str, datetime]:
    """Up to when the log of each CRM lies in some repository, as the monitor was told last. Without a ledger nobody knows."""
    if not settings.ledger_file.exists():
        return {}
    try:
        with Ledger(settings.ledger_file) as ledger:
            facts = ledger.facts().get(LOG_SHIPPED, {})
    except (sqlite3.Error, LedgerTooNew):
        return {}
    newest: dict[str, float] = {}
    for (name, _), until in facts.items():
        newest[name] = max(until, newest.get(name, until))
    return {name: datetime.fromtimestamp(until, UTC) for name, until in newest.items()}
