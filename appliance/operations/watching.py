"""What the monitor has seen of each CRM, read from its ledger; without a monitor nothing is known, and that is shown."""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from monitoring.ledger import Ledger, State
from monitoring.schema import LedgerTooNew

STALE_AFTER = timedelta(minutes=2)
"""What was seen longer ago says nothing about now."""


class Health(StrEnum):
    """How a CRM was found."""

    HEALTHY = "healthy"
    """It answered as it should."""
    DEGRADED = "degraded"
    """It serves, but something behind it fails."""
    DOWN = "down"
    """It does not answer as it should."""
    MAINTENANCE = "maintenance"
    """It was taken out of service on purpose."""
    UNKNOWN = "unknown"
    """Nobody looked of late."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What was seen last; `reason` says why when it is not healthy."""

    health: Health = Health.UNKNOWN
    reason: str = ""


UNSEEN = Sighting()


def read_sightings(ledger_file: Path, now: datetime, only: Collection[str] | None = None) -> Mapping[str, Sighting]:
    """What was seen last of each CRM, or of these, by name.

    A ledger that is absent or cannot be read has seen nothing: the panel works without.
    """
    if not ledger_file.exists():
        return {}
    try:
        with Ledger(ledger_file) as ledger:
            latest = ledger.last_seen(only)
    except (sqlite3.Error, LedgerTooNew):
        return {}
    return {crm: Sighting(health=_health(state), reason=reason) for crm, state, reason, ended_at in latest if now - ended_at <= STALE_AFTER}


def _health(state: State) -> Health:
    return Health.HEALTHY if state == State.UP else Health(state.value)
