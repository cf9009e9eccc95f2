"""Series as rules see them: picked by name and labels, now and in a stretch of time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from monitoring.exporter.families import Family
from monitoring.uptime import Uptime

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""
Found = dict[Labels, float]
"""Values by what they are about."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """The series of a name whose labels have one of the values that `where` gives."""

    name: str
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def promql(self) -> str:
        """As PromQL selects it."""
        picked = [
            f'{label}="{values[0]}"' if len(values) == 1 else f'{label}=~"{"|".join(values)}"' for label, values in self.where.items()
        ]
        return self.name + (f"{{{','.join(picked)}}}" if picked else "")

    def picks(self, labels: Labels) -> bool:
        """Whether a series of this name is one of these."""
        picked = 0
        for label, value in labels:
            if (values := self.where.get(label)) is not None:
                if value not in values:
                    return False
                picked += 1
        return picked == len(self.where)


class Snapshot:
    """All series at one moment."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._series: defaultdict[str, Found] = defaultdict(dict)
        for family in families:
            for (suffix, key), value in zip(family.series, family.values, strict=True):
                labels = tuple(sorted(zip(family.labels_of(suffix), key, strict=True)))
                self._series[family.name + suffix][labels] = value

    def of(self, metric: Metric) -> Found:
        """The series that a metric picks."""
        series = self._series.get(metric.name, {})
        return {labels: value for labels, value in series.items() if metric.picks(labels)} if metric.where else dict(series)


class Past(Protocol):
    """What was, of the series that rules ask for over time."""

    def points(self, name: str, labels: Labels, window: timedelta) -> Sequence[tuple[float, float]]:
        """Seconds before now, as a negative number, and the value then; oldest first, from the beginning of the window on."""

    def began(self, name: str, labels: Labels, window: timedelta) -> float | None:
        """The value when the window began, or the first in it that is known; before the last hours it may be an hour older."""

    def uptime(self, crm: str, window: timedelta) -> Uptime:
        """How a CRM spent the window that ends now."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What a condition is evaluated on; `now` is Unix time."""

    snapshot: Snapshot
    past: Past
    now: float


def greatest(found: Found, by: Sequence[str]) -> Found:
    """The greatest value for each group of these labels, as `max by`."""
    grouped: Found = {}
    for labels, value in found.items():
        key = only(labels, by)
        grouped[key] = max(value, grouped.get(key, value))
    return grouped


def added(found: Found, by: Sequence[str]) -> Found:
    """The sum for each group of these labels, as `sum by`."""
    grouped: Found = {}
    for labels, value in found.items():
        key = only(labels, by)
        grouped[key] = grouped.get(key, 0.0) + value
    return grouped


def only(labels: Labels, by: Sequence[str]) -> Labels:
    """These labels of a series."""
    return tuple((label, value) for label, value in labels if label in by)


def span(window: timedelta) -> str:
    """A length as PromQL writes it.

    >>> span(timedelta(minutes=90)), span(timedelta(days=3)), span(timedelta())
    ('90m', '3d', '0s')
    """
    seconds = int(window.total_seconds())
    units = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
    unit, size = next((unit, size) for unit, size in units if seconds % size == 0) if seconds else ("s", 1)
    return f"{seconds // size}{unit}"
