"""The outages of a CRM, and what its users are told on the status page of these or in general."""

import sqlite3
from datetime import UTC, datetime

from appliance.domain.notice import Notice, read_notice
from appliance.errors import InvalidRequest
from appliance.wiring import Appliance
from monitoring.ledger import Ledger, Outage
from monitoring.schema import LedgerTooNew


def add_notice(appliance: Appliance, instance: str, text: str, *, outage: str = "", by: str, now: datetime) -> Notice:
    """Tell it; `outage` is when the outage began that it is about, to the second. Raises NotFound, InvalidRequest."""
    appliance.store.instances.get(instance)
    kept = read_notice(text)
    outage_at = _outage(appliance, instance, outage.strip()) if outage.strip() else None
    return appliance.store.notices.add(instance, kept, outage_at=outage_at, by=by, now=now)


def _outage(appliance: Appliance, instance: str, typed: str) -> datetime:
    try:
        began = datetime.fromisoformat(typed)
    except ValueError:
        raise InvalidRequest(f"{typed[:40]!r} is no time; write it as 2026-03-01T12:00:30. Nothing was changed.", field="outage") from None
    began = began if began.tzinfo else began.replace(tzinfo=UTC)
    for found in list_outages(appliance, instance):
        if began.replace(microsecond=0) == found.started_at.replace(microsecond=0):
            return found.started_at
    raise InvalidRequest(f"No outage of {instance} that was seen began at {began.isoformat()}. Nothing was changed.", field="outage")


def list_outages(appliance: Appliance, instance: str) -> list[Outage]:
    """All that the monitor has seen of a CRM, newest first; none without a ledger that can be read. Raises NotFound."""
    appliance.store.instances.get(instance)
    file = appliance.settings.ledger_file
    if not file.exists():
        return []
    try:
        with Ledger(file) as ledger:
            return ledger.outages(instance)
    except (sqlite3.Error, LedgerTooNew):
        return []
