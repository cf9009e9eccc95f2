"""The rules about error budgets: for each objective the same four, from one table.

The factors are those of the SRE workbook (chapter 5): 14.4 spends 2 % of a month's budget in an hour, 6 spends 5 % in six hours,
3 and 1 spend 10 % in one day and in three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring.rules.burning import AvailabilityBurns, Burns, LatencyBurns
from monitoring.rules.rule import Rule, Severity

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast a budget is spent, and in which words: `name` ends the rules' names, `{allowed}` is what the objective allows."""

    name: str
    factor: float
    long: timedelta
    short: timedelta
    summary: str
    within: str
    spent: str


PACES = (
    Pace(
        name="BurnsFast",
        factor=14.4,
        long=HOUR,
        short=5 * MINUTE,
        summary="its month of {allowed} within two days",
        within="hour",
        spent="2 %",
    ),
    Pace(
        name="Burns",
        factor=6,
        long=6 * HOUR,
        short=30 * MINUTE,
        summary="its month of {allowed} within five days",
        within="six hours",
        spent="5 %",
    ),
    Pace(
        name="BurnsSlowly",
        factor=3,
        long=DAY,
        short=2 * HOUR,
        summary="its month of {allowed} within ten days",
        within="day",
        spent="10 %",
    ),
    Pace(
        name="Trickles",
        factor=1,
        long=3 * DAY,
        short=6 * HOUR,
        summary="all of its {allowed}",
        within="three days",
        spent="10 %",
    ),
)


def _rules(
    objective: str, condition: type[Burns], severities: Sequence[Severity], *, spends: str, allowed: str, spending: str
) -> tuple[Rule, ...]:
    """One for each pace."""
    return tuple(
        Rule(
            name=f"{objective}{pace.name}",
            severity=severity,
            condition=condition(factor=pace.factor, long=pace.long, short=pace.short),
            lasting=timedelta(),
            muted_in_maintenance=True,
            summary=f"{spends} {pace.summary.format(allowed=allowed)}",
            description=f"Within the last {pace.within} {spending} that {pace.spent} of a month's error budget is spent.",
        )
        for pace, severity in zip(PACES, severities, strict=True)
    )


AVAILABILITY = _rules(
    "Availability",
    AvailabilityBurns,
    (CRITICAL, CRITICAL, WARNING, WARNING),
    spends="{crm} spends",
    allowed="allowed downtime",
    spending="{crm} was down so long",
)
LATENCY = _rules(
    "Latency",
    LatencyBurns,
    (CRITICAL, WARNING, WARNING, WARNING),  # people still work, more slowly: only the fastest is worth waking somebody
    spends="{crm} is slow and spends",
    allowed="allowed slow answers",
    spending="so many probes of {crm} took too long",
)
