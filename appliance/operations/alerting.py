"""How alerts stand, as the monitor has written it down; without a monitor nothing is known, and that is said."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.operations.messages import description_of, runbook_of, summary_of
from appliance.wiring import Appliance
from monitoring.rules.memory import BY_NAME, RuleMemory, ToldChange
from monitoring.rules.rule import Severity
from monitoring.rules.standing import Alert
from monitoring.schema import LedgerTooNew

STALE_AFTER = timedelta(minutes=5)
SHOWN_CHANGES = 50


@dataclass(frozen=True, kw_only=True)
class ShownAlert:
    """An alert as people read it. `state` is pending, firing or resolved; `at` is when it came to that, if it was written down.

    `untold` says because of what people are not told of it, if they are not.
    """

    rule: str
    severity: str
    state: str
    labels: dict[str, str]
    summary: str
    description: str
    runbook: str
    since: datetime
    at: datetime | None = None
    untold: str = ""


@dataclass(frozen=True, kw_only=True)
class AlertBook:
    """How alerts stand, the most severe first, and what changed of late, the newest first. `evaluated_at` is None before the first time."""

    standing: Sequence[ShownAlert] = ()
    changes: Sequence[ShownAlert] = ()
    evaluated_at: datetime | None = None

    def is_stale(self, now: datetime) -> bool:
        """Whether the rules were not evaluated of late, so that nothing is known."""
        return self.evaluated_at is None or now - self.evaluated_at > STALE_AFTER


def read_alerts(appliance: Appliance) -> AlertBook:
    """What the monitor wrote down; nothing from a ledger that is absent or cannot be read."""
    file = appliance.settings.ledger_file
    if not file.exists():
        return AlertBook()
    try:
        with closing(RuleMemory(file)) as memory:
            evaluated_at = memory.evaluated_at()
            return AlertBook(
                standing=_standing(memory.alerts()),
                changes=[_changed(change) for change in memory.newest_changes(SHOWN_CHANGES)],
                evaluated_at=datetime.fromtimestamp(evaluated_at, UTC) if evaluated_at else None,
            )
    except (sqlite3.Error, LedgerTooNew):
        return AlertBook()


def _standing(alerts: Iterable[Alert]) -> list[ShownAlert]:
    shown = [_shown(alert, alert.stand.value) for alert in alerts if alert.rule in BY_NAME and BY_NAME[alert.rule].is_told]
    ranks = [severity.value for severity in Severity]
    return sorted(shown, key=lambda alert: (alert.state, ranks.index(alert.severity), alert.since))


def _changed(change: ToldChange) -> ShownAlert:
    return _shown(change.alert, "firing" if change.fires else "resolved", at=datetime.fromtimestamp(change.at, UTC))


def _shown(alert: Alert, state: str, *, at: datetime | None = None) -> ShownAlert:
    return ShownAlert(
        rule=alert.rule,
        severity=BY_NAME[alert.rule].severity.value if alert.rule in BY_NAME else Severity.WARNING.value,
        state=state,
        labels=dict(alert.labels),
        summary=summary_of(alert),
        description=description_of(alert),
        runbook=runbook_of(alert),
        since=datetime.fromtimestamp(alert.since, UTC),
        at=at,
        untold=alert.untold,
    )
