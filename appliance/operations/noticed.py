"""What visitors noticed of an operation, as the monitor has measured it meanwhile."""

import sqlite3
from datetime import timedelta

from appliance.wiring import Appliance
from monitoring.clock import open_clock
from monitoring.ledger import Ledger
from monitoring.schema import LedgerTooNew


def noticed(appliance: Appliance, crm: str, window: timedelta) -> str:
    """How long a CRM was away in the time that ends now, and how much of that time nobody measured."""
    if not appliance.settings.ledger_file.exists():
        return f"{crm}: not measured, the monitor has no ledger yet"
    try:
        with Ledger(appliance.settings.ledger_file) as ledger:
            spent = ledger.uptime(crm, window, open_clock()())
    except (sqlite3.Error, LedgerTooNew) as error:
        return f"{crm}: not measured ({error})"
    away = spent.down_seconds + spent.maintenance_seconds
    pause = f"the monitor, which asks every {appliance.settings.probe_interval_seconds:.0f} s,"
    unseen = window.total_seconds() - spent.up_seconds - spent.degraded_seconds - away
    told = f"{crm}: {pause} saw it away for {away:.0f} s" if away else f"{crm}: {pause} never saw it away"
    return told + (f" and did not ask for {unseen:.0f} s" if unseen >= 1 else "")
