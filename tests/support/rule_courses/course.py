"""What a course of things is, and how its series are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60, 3600, 86_400
DEMO = {"crm": "demo"}


@dataclass(frozen=True, kw_only=True)
class Course:
    """`series` are values a step apart, from 0 on; `labels` are those of the alert that fires."""

    name: str
    rule: str
    series: Mapping[str, Sequence[float]]
    labels: Mapping[str, str] = field(default_factory=lambda: DEMO)
    fires: Sequence[int] = ()
    silent: Sequence[int] = ()
    step_seconds: int = MINUTE


def shown(name: str, labels: Mapping[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{told}}}" if labels else name


def flat(name: str, labels: Mapping[str, str], *parts: tuple[int, float]) -> dict[str, list[float]]:
    """A series that keeps each value for so many steps."""
    return {shown(name, labels): [value for steps, value in parts for _ in range(steps)]}


def flag(rule: str, name: str, labels: Mapping[str, str], *, last: int = 0, extra: Mapping[str, str] | None = None) -> Course:
    """A gauge that is 0, then 1 for half an hour, then 0 again; the rule waits for `last` seconds."""
    begins, ends = 10 * MINUTE, 40 * MINUTE
    series = flat(name, {**labels, **(extra or {})}, (10, 0.0), (30, 1.0), (10, 0.0))
    alert = {**labels, **(extra or {})}
    return Course(
        name=rule,
        rule=rule,
        series=series,
        labels=alert,
        fires=(begins + last, ends - MINUTE),
        silent=(begins - MINUTE, begins + last - MINUTE, ends),
    )
