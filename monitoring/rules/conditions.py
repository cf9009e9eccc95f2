"""The forms that a condition can have. Each tells its PromQL, and finds the same from the appliance's own data."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

from monitoring.rules.series import Found, Labels, Metric, View, added, greatest, span

Comparison = Literal["<", ">", "=="]
COMPARED: Mapping[Comparison, Callable[[float, float], bool]] = {"<": operator.lt, ">": operator.gt, "==": operator.eq}


class Condition(Protocol):
    """When a rule holds."""

    def promql(self) -> str:
        """For Prometheus."""

    def holds_for(self, view: View) -> Found:
        """What it holds for, with the value that people are shown."""

    def remembered(self, view: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """The series whose past it asks for, and how far back."""


class Momentary:
    """A condition that asks for nothing but the present."""

    def remembered(self, _: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """Nothing."""
        yield from ()


@dataclass(frozen=True, kw_only=True)
class Always(Momentary):
    """Holds as long as somebody evaluates it."""

    def promql(self) -> str:
        """For Prometheus."""
        return "vector(1)"

    def holds_for(self, _: View) -> Found:
        """Of everything."""
        return {(): 1.0}


@dataclass(frozen=True, kw_only=True)
class Absent(Momentary):
    """Nobody tells the metric: the exporter, or the way to it, is gone."""

    metric: Metric

    def promql(self) -> str:
        """For Prometheus."""
        return f"absent({self.metric.promql()})"

    def holds_for(self, view: View) -> Found:
        """Of everything, if there is none."""
        return {} if view.snapshot.of(self.metric) else {(): 1.0}


@dataclass(frozen=True, kw_only=True)
class Threshold(Momentary):
    """A metric beyond a figure."""

    metric: Metric
    comparison: Comparison
    figure: float

    def promql(self) -> str:
        """For Prometheus."""
        return f"{self.metric.promql()} {self.comparison} {self.figure:g}"

    def holds_for(self, view: View) -> Found:
        """Series beyond the figure."""
        beyond = COMPARED[self.comparison]
        return {labels: value for labels, value in view.snapshot.of(self.metric).items() if beyond(value, self.figure)}


@dataclass(frozen=True, kw_only=True)
class Share(Momentary):
    """One metric divided by another with the same labels, below a figure. Where there is nothing to divide by, it never holds."""

    part: Metric
    whole: Metric
    below: float

    def promql(self) -> str:
        """For Prometheus."""
        return f"{self.part.promql()} / {self.whole.promql()} < {self.below:g}"

    def holds_for(self, view: View) -> Found:
        """Series below the figure."""
        wholes = view.snapshot.of(self.whole)
        shares = {labels: part / whole for labels, part in view.snapshot.of(self.part).items() if (whole := wholes.get(labels))}
        return {labels: share for labels, share in shares.items() if share < self.below}


@dataclass(frozen=True, kw_only=True)
class Exceeds(Momentary):
    """The greatest of a metric above that of another one, by the labels that both have."""

    metric: Metric
    other: Metric
    by: tuple[str, ...]

    def promql(self) -> str:
        """For Prometheus."""
        groups = ", ".join(self.by)
        return f"max by ({groups}) ({self.metric.promql()}) > max by ({groups}) ({self.other.promql()})"

    def holds_for(self, view: View) -> Found:
        """Groups in which it is above."""
        limits = greatest(view.snapshot.of(self.other), self.by)
        found = greatest(view.snapshot.of(self.metric), self.by)
        return {labels: value for labels, value in found.items() if labels in limits and value > limits[labels]}


@dataclass(frozen=True, kw_only=True)
class OlderThan(Momentary):
    """The newest of a timestamp is older than a length, or than `times` another metric in seconds.

    A timestamp of 0 means never, which is older than anything; with `unless_zero` it means that there is nothing to be old.
    """

    timestamp: Metric
    by: tuple[str, ...]
    length: timedelta | None = None
    times: float = 1.0
    other: Metric | None = None
    unless_zero: bool = False

    def promql(self) -> str:
        """For Prometheus."""
        groups = ", ".join(self.by)
        zero = " > 0" if self.unless_zero else ""
        limit = f"{self.length.total_seconds():g}" if self.length is not None else ""
        if self.other is not None:
            factor = f"{self.times:g} * " if self.times != 1 else ""
            limit = f"{factor}max by ({groups}) ({self.other.promql()})"
        return f"time() - max by ({groups}) ({self.timestamp.promql()}{zero}) > {limit}"

    def holds_for(self, view: View) -> Found:
        """Groups in which it is older, with the age in seconds."""
        limits = greatest(view.snapshot.of(self.other), self.by) if self.other is not None else {}
        found: Found = {}
        for labels, newest in greatest(view.snapshot.of(self.timestamp), self.by).items():
            limit = self.length.total_seconds() if self.length is not None else self.times * limits.get(labels, float("inf"))
            if view.now - newest > limit and not (self.unless_zero and newest == 0):
                found[labels] = view.now - newest
        return found


@dataclass(frozen=True, kw_only=True)
class EndsWithin(Momentary):
    """A timestamp in the future is less than a length away."""

    timestamp: Metric
    length: timedelta

    def promql(self) -> str:
        """For Prometheus."""
        return f"{self.timestamp.promql()} - time() < {self.length.total_seconds():g}"

    def holds_for(self, view: View) -> Found:
        """Series that are so near, with the seconds left."""
        left = {labels: end - view.now for labels, end in view.snapshot.of(self.timestamp).items()}
        return {labels: seconds for labels, seconds in left.items() if seconds < self.length.total_seconds()}


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A counter grew by more than a figure within a window."""

    counter: Metric
    window: timedelta
    by: tuple[str, ...]
    more_than: float = 0

    def promql(self) -> str:
        """For Prometheus."""
        groups = f" by ({', '.join(self.by)})" if self.by else ""
        return f"sum{groups} (increase({self.counter.promql()}[{span(self.window)}])) > {self.more_than:g}"

    def holds_for(self, view: View) -> Found:
        """Groups that grew by more, and by how much."""
        now, name = view.snapshot.of(self.counter), self.counter.name
        found = {labels: growth(view, name, labels, value, self.window) for labels, value in now.items()}
        return {labels: value for labels, value in added(found, self.by).items() if value > self.more_than}

    def remembered(self, view: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """The counter's series."""
        yield from ((self.counter.name, labels, self.window) for labels in view.snapshot.of(self.counter))


def growth(view: View, name: str, labels: Labels, value: float, window: timedelta) -> float:
    """By how much a counter grew within the window; 0 where it was not known before. One that fell began anew at 0."""
    total, before = 0.0, None
    for point in (*(point for _, point in view.past.points(name, labels, window)), value):
        if before is not None:
            total += point - before if point >= before else point
        before = point
    return total


@dataclass(frozen=True, kw_only=True)
class RunsOut:
    """What is left falls so fast that by the trend of `window` nothing is left after `ahead`, and less than a share is left already."""

    left: Metric
    whole: Metric
    below: float
    window: timedelta = field(default=timedelta(hours=6))
    ahead: timedelta = field(default=timedelta(hours=24))

    def promql(self) -> str:
        """For Prometheus."""
        trend = f"predict_linear({self.left.promql()}[{span(self.window)}], {self.ahead.total_seconds():g}) < 0"
        return f"{self._share.promql()} and {trend}"

    def holds_for(self, view: View) -> Found:
        """Series that run out, with the share that is left."""
        now = view.snapshot.of(self.left)
        return {
            labels: share
            for labels, share in self._share.holds_for(view).items()
            if _predicted([*view.past.points(self.left.name, labels, self.window), (0.0, now[labels])], self.ahead) < 0
        }

    def remembered(self, view: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """What is left of each."""
        yield from ((self.left.name, labels, self.window) for labels in view.snapshot.of(self.left))

    @property
    def _share(self) -> Share:
        return Share(part=self.left, whole=self.whole, below=self.below)


def _predicted(points: list[tuple[float, float]], ahead: timedelta) -> float:
    """The least-squares line through (seconds, value), read so long after 0; infinite where there is no line yet."""
    count = len(points)
    mean_at, mean = sum(at for at, _ in points) / count, sum(value for _, value in points) / count
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    if spread == 0:
        return float("inf")
    slope = sum((at - mean_at) * (value - mean) for at, value in points) / spread
    return mean + slope * (ahead.total_seconds() - mean_at)
