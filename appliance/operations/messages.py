"""What a notification says: one message for all that a channel is to be told at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitoring.rules.memory import BY_NAME, ToldChange
from monitoring.rules.rule import RUNBOOK, told
from monitoring.rules.standing import Alert

MOST_LINES = 40


@dataclass(frozen=True, kw_only=True)
class Message:
    """Ready to be sent; `is_good` when nothing in it fires."""

    title: str
    body: str
    is_good: bool


def message_of(changes: Sequence[ToldChange], *, more_at: str = "") -> Message:
    """Say what fires, what is over, and what came and went since the channel was told last. `more_at` is where the alerts are shown."""
    last = {change.alert.key: change for change in changes}
    fires = [change for change in last.values() if change.fires]
    begun = {change.alert.key for change in changes if change.fires}
    over = [change for change in last.values() if not change.fires and change.alert.key not in begun]
    gone = [change for change in last.values() if not change.fires and change.alert.key in begun]
    fires.sort(key=lambda change: change.severity)
    parts = [
        _part("Fires:", [_fires(change) for change in fires]),
        _part("Is over:", [_over(change) for change in over]),
        _part("Came and went:", [_over(change) for change in gone]),
        more_at,
    ]
    return Message(title=_title(fires, over, gone), body="\n\n".join(filter(None, parts)), is_good=not fires)


def summary_of(alert: Alert) -> str:
    """What it is about, in a line; of a rule that is there no more, its name."""
    rule = BY_NAME.get(alert.rule)
    labels = dict(alert.labels)
    return told(rule.summary, labels) if rule else f"{alert.rule} {', '.join(labels.values())}"


def description_of(alert: Alert) -> str:
    """What it means."""
    rule = BY_NAME.get(alert.rule)
    return told(rule.description, dict(alert.labels)) if rule else ""


def runbook_of(alert: Alert) -> str:
    """Where it is written what to do."""
    return BY_NAME[alert.rule].runbook if alert.rule in BY_NAME else RUNBOOK


def _title(fires: Sequence[ToldChange], over: Sequence[ToldChange], gone: Sequence[ToldChange]) -> str:
    first = (fires or over or gone)[0]
    others = len(fires) + len(over) + len(gone) - 1
    word = first.severity if first.fires else "over" if over else "came and went"
    return f"[{word}] {summary_of(first.alert)}" + (f" (and {others} more)" if others else "")


def _part(head: str, lines: list[str]) -> str:
    if not lines:
        return ""
    rest = [f"- and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return "\n".join([head, *lines[:MOST_LINES], *rest])


def _fires(change: ToldChange) -> str:
    alert = change.alert
    said = f"- [{change.severity}] {summary_of(alert)}, since {_moment(alert.since)}."
    return f"{said} {description_of(alert)} What to do: {runbook_of(alert)}"


def _over(change: ToldChange) -> str:
    return f"- {summary_of(change.alert)}: from {_moment(change.alert.since)} to {_moment(change.at)}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
