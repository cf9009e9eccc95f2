"""Events told by groups: each is taken once, when it is new, so that a scrape costs the same however long the history is."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import accumulate

from monitoring.events import Event
from monitoring.exporter.families import Family, Histogram, Key, counter, gauge

LONG_BOUNDS_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, math.inf)
SUCCESS = "success"
NOTHING: Mapping[str, int] = {}


class Group:
    """The events of one group."""

    def __init__(self) -> None:
        self.newest: Event | None = None
        self.newest_success: Event | None = None
        self.counts: Counter[str] = Counter()
        self.spread: Counter[float] = Counter()
        self.seconds = 0.0

    def take(self, event: Event) -> None:
        """Count an event; the newest is the one that ended last, whenever it was written down."""
        self.counts[event.result] += 1
        if self.newest is None or event.at >= self.newest.at:
            self.newest = event
        if event.result == SUCCESS and (self.newest_success is None or event.at >= self.newest_success.at):
            self.newest_success = event
        if event.duration_seconds is not None:
            self.spread[LONG_BOUNDS_SECONDS[bisect_left(LONG_BOUNDS_SECONDS, event.duration_seconds)]] += 1
            self.seconds += event.duration_seconds


class Grouped:
    """Groups under `labels`; `key` gives an event's label values."""

    def __init__(self, labels: Key, key: Callable[[Event], Key]) -> None:
        self.labels, self.key = labels, key
        self.groups: defaultdict[Key, Group] = defaultdict(Group)

    def take(self, event: Event) -> None:
        """Count an event in its group."""
        self.groups[self.key(event)].take(event)

    def shown(self, expected: Iterable[Key], *, crms: Collection[str] | None = None) -> "Shown":
        """The groups that are told: those expected, which exist before any event, and those met; only of `crms`, if given."""
        met = self.groups if crms is None else [key for key in self.groups if key[0] in crms]
        return Shown(self.labels, {key: self.groups.get(key) for key in sorted({*expected, *met})})


class Shown:
    """Groups as they are told, by their label values; None where nothing has happened yet."""

    def __init__(self, labels: Key, groups: Mapping[Key, Group | None]) -> None:
        self.labels, self.groups = labels, groups

    def newest(self, name: str, text: str, value: Callable[[Event], float]) -> Family:
        """The value of each group's newest event; 0 before the first."""
        return self._gauge(name, text, value, lambda group: group.newest)

    def newest_success(self, name: str, text: str, value: Callable[[Event], float]) -> Family:
        """The value of each group's newest event that succeeded; 0 before the first."""
        return self._gauge(name, text, value, lambda group: group.newest_success)

    def _gauge(self, name: str, text: str, value: Callable[[Event], float], choose: Callable[[Group], Event | None]) -> Family:
        family = gauge(name, text, self.labels)
        for key, group in self.groups.items():
            event = choose(group) if group else None
            family.add(key, value(event) if event else 0)
        return family

    def counter(self, name: str, text: str, results: tuple[str, ...]) -> Family:
        """Events by group and result."""
        family = counter(name, text, (*self.labels, "result"))
        for key, group in self.groups.items():
            counts = group.counts if group else NOTHING
            told = results if counts.keys() <= frozenset(results) else (*results, *sorted(counts.keys() - set(results)))
            family.add_each(key, told, [counts.get(result, 0) for result in told])
        return family

    def histogram(self, name: str, text: str) -> Family:
        """How long the events of each group took."""
        family = Histogram(name, text, self.labels)
        for key, group in self.groups.items():
            counts = cumulate(group.spread if group else {}, LONG_BOUNDS_SECONDS)
            family.add_buckets(key, LONG_BOUNDS, counts, group.seconds if group else 0.0)
        return family


def name_bounds(bounds: Iterable[float]) -> Key:
    """What Prometheus calls upper bounds."""
    return tuple("+Inf" if math.isinf(bound) else str(bound) for bound in bounds)


LONG_BOUNDS = name_bounds(LONG_BOUNDS_SECONDS)


def cumulate(counts: Mapping[float, int], bounds: Iterable[float]) -> list[float]:
    """Buckets as Prometheus wants them: each holds the ones below it."""
    return list(accumulate([counts.get(bound, 0) for bound in bounds]))
