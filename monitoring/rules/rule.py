"""What a rule is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from monitoring.rules.conditions import Condition
from monitoring.rules.series import Found, Metric, View, only

RUNBOOK = "docs/runbooks/alerts.md"
MAINTENANCE = Metric(name="appliance_crm_maintenance")


class Severity(StrEnum):
    """How soon somebody has to look."""

    CRITICAL = "critical"
    """Now, at night too."""
    WARNING = "warning"
    """On the next working day."""
    NONE = "none"
    """Never: it shows that alerts get through at all."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One alert. Texts name labels as `{crm}`; `lasting` is how long the condition has to hold before it fires.

    `muted_in_maintenance` is for what visitors see: a CRM that was taken out of service on purpose alerts nobody by being so.
    `is_told` says whether people are notified of it by the appliance itself.
    """

    name: str
    severity: Severity
    condition: Condition
    lasting: timedelta
    summary: str
    description: str
    muted_in_maintenance: bool = False

    @property
    def is_told(self) -> bool:
        """Whether anybody has to look."""
        return self.severity is not Severity.NONE

    @property
    def runbook(self) -> str:
        """Where it is written what to do."""
        return f"{RUNBOOK}#{self.name.lower()}"

    def promql(self) -> str:
        """The whole expression."""
        expression = self.condition.promql()
        return f"({expression}) unless on (crm) {MAINTENANCE.promql()} == 1" if self.muted_in_maintenance else expression

    def holds_for(self, view: View) -> Found:
        """What it holds for now, however long."""
        found = self.condition.holds_for(view)
        if not self.muted_in_maintenance:
            return found
        muted = {labels for labels, value in view.snapshot.of(MAINTENANCE).items() if value == 1}
        return {labels: value for labels, value in found.items() if only(labels, ("crm",)) not in muted}


def told(text: str, labels: Mapping[str, str]) -> str:
    """A rule's text about something; labels that it does not have are left out."""
    for label, value in labels.items():
        text = text.replace(f"{{{label}}}", value)
    return text
