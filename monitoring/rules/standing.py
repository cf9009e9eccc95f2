"""How a rule stands with each thing it holds for: pending until it has held long enough, then firing, then gone."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from monitoring.rules.rule import Rule
from monitoring.rules.series import Found, Labels

Key = tuple[str, Labels]


class Stand(StrEnum):
    """Where an alert stands."""

    PENDING = "pending"
    """Its condition holds, not yet for long enough."""
    FIRING = "firing"
    """Its condition has held for long enough."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A rule that holds for something. `since_ms` is a place on the ledger's time axis, `since` the Unix time that labels it.

    `untold` names the rule because of which people are not told that it fires; once they were, it stays empty.
    """

    rule: str
    labels: Labels
    stand: Stand
    since_ms: int
    since: float
    value: float
    untold: str = ""

    @property
    def is_told(self) -> bool:
        """Whether it fires, and people are told so."""
        return self.stand is Stand.FIRING and not self.untold

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.rule, self.labels


@dataclass(frozen=True, kw_only=True)
class Change:
    """An alert that has begun to fire, or has ended after it did; `alert` is as it was while it fired."""

    alert: Alert
    fires: bool


def nothing_worse(_: Labels) -> str:
    """Everything is told."""
    return ""


def follow(
    rule: Rule, before: Mapping[Key, Alert], found: Found, *, at_ms: int, at: float, worse: Callable[[Labels], str] = nothing_worse
) -> tuple[list[Alert], list[Change]]:
    """The alerts of a rule from now on, and what people are to be told.

    `before` holds those of all rules; `found` is what this one holds for; `worse` names the rule beside which an alert is not told.
    """
    followed = [_followed(rule, before.get((rule.name, labels)), labels, value, at_ms=at_ms, at=at) for labels, value in found.items()]
    now = [alert if _was_told(before.get(alert.key)) else replace(alert, untold=worse(alert.labels)) for alert in followed]
    begun = [Change(alert=alert, fires=True) for alert in now if alert.is_told and not _was_told(before.get(alert.key))]
    ended = _ended(rule, before.values(), found)
    return now, [*begun, *(Change(alert=alert, fires=False) for alert in ended)]


def _followed(rule: Rule, known: Alert | None, labels: Labels, value: float, *, at_ms: int, at: float) -> Alert:
    alert = known or Alert(rule=rule.name, labels=labels, stand=Stand.PENDING, since_ms=at_ms, since=at, value=value)
    lasted = at_ms - alert.since_ms >= rule.lasting.total_seconds() * 1000
    return replace(alert, value=value, stand=Stand.FIRING if lasted else alert.stand)


def _ended(rule: Rule, known: Iterable[Alert], found: Found) -> list[Alert]:
    return [alert for alert in known if alert.rule == rule.name and alert.labels not in found and alert.is_told]


def _was_told(alert: Alert | None) -> bool:
    return alert is not None and alert.is_told
