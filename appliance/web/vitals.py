"""What a tile of the overview says of a CRM besides its state: how well it serves, what waits, what could be lost, and room on its disk."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.config import Settings
from appliance.domain.host import Host
from appliance.domain.pending import Pending, Way
from appliance.operations.this_machine import nearest_there
from appliance.web.formats import percent, roughly, size
from appliance.web.kept import shipped_until
from appliance.web.languages import gettext, ngettext
from appliance.web.latencies import seconds_told
from appliance.web.machines import free_bytes
from appliance.web.summaries import Summary
from appliance.wiring import Appliance
from monitoring.clock import Moment, moment_at
from monitoring.exporter.promises import BUDGET_WINDOW
from monitoring.latencies import add_up, quantile
from monitoring.ledger import Ledger
from monitoring.schema import LedgerTooNew

RESPONSE_PROBE = "ready"
"""The one that asks for a page, as people do."""
MEDIAN = 0.5
RESPONSE_DAYS = 2
"""On the ledger's time axis; with one, nothing would be known just after a day began."""
UNKNOWN = "–"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something that waits to be installed, and how urgent it is as a tone."""

    text: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What would be lost if it broke now: all changes of so long. `is_too_much` says that less is promised."""

    text: str
    is_too_much: bool


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """Texts for one CRM; a dash where nothing is known."""

    uptime: str
    response: str
    waiting: Sequence[Waiting]
    loss: Loss | None
    room: str


def vitals_of(appliance: Appliance, summaries: Sequence[Summary], now: datetime) -> dict[str, Vitals]:
    """By the names of the CRMs that are shown."""
    store, settings = appliance.store, appliance.settings
    pending = {one.subject: one for one in store.pending.some([summary.instance.name for summary in summaries])}
    rooms = {host.name: _room(host, settings) for host in store.hosts.list()}
    served, shipped = _served(settings, [one.instance.name for one in summaries], now), shipped_until(settings)
    return {
        name: Vitals(
            uptime=served.get(name, (UNKNOWN, UNKNOWN))[0],
            response=served.get(name, (UNKNOWN, UNKNOWN))[1],
            waiting=waiting(pending.get(name)),
            loss=loss(summary, shipped.get(name), now),
            room=rooms.get(summary.instance.host, UNKNOWN),
        )
        for summary in summaries
        for name in [summary.instance.name]
    }


def waiting(pending: Pending | None) -> list[Waiting]:
    """What waits for a CRM, the most urgent first."""
    if pending is None:
        return [Waiting(text=gettext("never asked"), tone="secondary")]
    found = []
    if count := len(pending.advisories):
        found.append(Waiting(text=ngettext("%(num)s known vulnerability", "%(num)s known vulnerabilities", count), tone="red"))
    if patch := pending.newest(Way.PATCH):
        found.append(Waiting(text=gettext("patch %(version)s", version=patch.version), tone="orange"))
    if pending.rebuilt:
        found.append(Waiting(text=gettext("newer packages"), tone="orange"))
    if upgrade := pending.newest(Way.UPGRADE):
        found.append(Waiting(text=gettext("upgrade %(version)s", version=upgrade.version), tone="blue"))
    if pending.problems:
        found.append(Waiting(text=gettext("could not be asked"), tone="orange"))
    return found


def loss(summary: Summary, shipped: datetime | None, now: datetime) -> Loss | None:
    """What would be lost now: since the newest recovery point, or since the log was shipped last where every change is kept."""
    moments = [summary.last_point.at if summary.last_point else None, shipped if summary.instance.archive else None]
    newest = max((moment for moment in moments if moment), default=None)
    if newest is None:
        return None
    age, promised = max(now - newest, timedelta()), summary.instance.objectives.rpo
    told = gettext("%(age)s of %(promised)s allowed", age=roughly(age), promised=roughly(promised)) if promised else roughly(age)
    return Loss(text=told, is_too_much=age > summary.instance.objectives.oldest_backup)


def _served(settings: Settings, names: Sequence[str], now: datetime) -> Mapping[str, tuple[str, str]]:
    """The uptime of 30 days and the median response of late, by CRM. Without a ledger nothing is known of any."""
    if not settings.ledger_file.exists():
        return {}
    try:
        with Ledger(settings.ledger_file) as ledger:
            return {name: _served_by(ledger, name, moment_at(now)) for name in names}
    except (sqlite3.Error, LedgerTooNew):
        return {}


def _served_by(ledger: Ledger, name: str, moment: Moment) -> tuple[str, str]:
    uptime = ledger.uptime(name, BUDGET_WINDOW, moment).observed_ratio
    took = quantile(add_up(ledger.latencies(name, RESPONSE_PROBE, RESPONSE_DAYS, moment)), MEDIAN)
    return percent(uptime), seconds_told(took)


def _room(host: Host, settings: Settings) -> str:
    """What is free where CRMs write, as the host was seen last; this machine can be looked at."""
    free = free_bytes(host)
    if free is None and host.is_local:
        free = shutil.disk_usage(nearest_there(settings.crm_root)).free
    return UNKNOWN if free is None else gettext("%(free_bytes)s free", free_bytes=size(free))
