"""Turns events into metric families: grouped by labels, with a series for each group that can exist."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from monitoring.ledger import Event

LONG_BOUNDS_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, math.inf)

Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Events, oldest first, under `labels`; `key` gives an event's label values, `expected` the groups that exist before any event."""

    events: Sequence[Event]
    labels: tuple[str, ...]
    key: Callable[[Event], Key]
    expected: Iterable[Key]

    @property
    def keys(self) -> list[Key]:
        """All groups, expected or met."""
        return sorted({*self.expected, *map(self.key, self.events)})

    def gauge(self, name: str, text: str, value: Callable[[Event], float], results: Sequence[str] | None = None) -> Metric:
        """The value of each group's newest event with one of the results; 0 before the first."""
        newest = {self.key(event): event for event in self.events if results is None or event.result in results}
        family = GaugeMetricFamily(name, text, labels=self.labels)
        for key in self.keys:
            family.add_metric(key, value(newest[key]) if key in newest else 0)
        return family

    def counter(self, name: str, text: str, results: Sequence[str]) -> Metric:
        """Events by group and result."""
        counts = Counter((*self.key(event), event.result) for event in self.events)
        expected = {(*key, result) for key in self.keys for result in results}
        family = CounterMetricFamily(name, text, labels=[*self.labels, "result"])
        for key in sorted(expected | counts.keys()):
            family.add_metric(key, counts[key])
        return family

    def histogram(self, name: str, text: str) -> Metric:
        """How long the events of each group took."""
        took: dict[Key, list[float]] = {key: [] for key in self.keys}
        for event in self.events:
            if event.duration_seconds is not None:
                took[self.key(event)].append(event.duration_seconds)
        family = HistogramMetricFamily(name, text, labels=self.labels)
        for key, seconds in took.items():
            counts = Counter(LONG_BOUNDS_SECONDS[bisect_left(LONG_BOUNDS_SECONDS, each)] for each in seconds)
            family.add_metric(key, cumulate(counts, LONG_BOUNDS_SECONDS), sum(seconds))
        return family


def cumulate(counts: dict[float, int], bounds: Iterable[float]) -> list[tuple[str, float]]:
    """Buckets as Prometheus wants them: each holds the ones below it."""
    total, buckets = 0, []
    for bound in bounds:
        total += counts.get(bound, 0)
        buckets.append(("+Inf" if math.isinf(bound) else str(bound), float(total)))
    return buckets
