"""Metric families that cost little to fill and to write: of a thousand CRMs there are over a hundred thousand lines at each scrape."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import add
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Key = tuple[str, ...]
REMEMBERED = 65_536
"""Groups of series that are made once, since most are the same at each scrape: those of four thousand CRMs."""
SPECIAL = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}


@dataclass(kw_only=True)
class Family:
    """One metric with all its series. `series` are (suffix of the name, label values) and `values` what they are, in the same order."""

    name: str
    text: str
    labels: Key = ()
    kind: str = "gauge"
    suffix: str = ""
    series: list[tuple[str, Key]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, key: Key, value: float) -> None:
        """Add a series."""
        self.series.append((self.suffix, key))
        self.values.append(float(value))

    def add_each(self, key: Key, last: Key, values: Iterable[float]) -> None:
        """Add a series for each of the values that the last label can have."""
        self.series += _series_of_each(self.suffix, key, last)
        self.values += values

    def labels_of(self, suffix: str) -> Key:
        """Names of the labels of a series."""
        return (*self.labels, "le") if suffix == "_bucket" else self.labels

    def as_metric(self) -> "Metric":
        """The same for Prometheus's own library."""
        from prometheus_client.metrics_core import Metric  # noqa: PLC0415 - rules know families too, and need no more of it

        metric = Metric(self.name, self.text, self.kind)
        for (suffix, key), value in zip(self.series, self.values, strict=True):
            metric.add_sample(self.name + suffix, dict(zip(self.labels_of(suffix), key, strict=True)), value)
        return metric


def gauge(name: str, text: str, labels: Key) -> Family:
    """What goes up and down."""
    return Family(name=name, text=text, labels=labels)


def counter(name: str, text: str, labels: Key) -> Family:
    """What only grows; its series end in `_total`."""
    return Family(name=name, text=text, labels=labels, kind="counter", suffix="_total")


class Histogram(Family):
    """How values spread over buckets."""

    def __init__(self, name: str, text: str, labels: Key) -> None:
        super().__init__(name=name, text=text, labels=labels, kind="histogram")

    def add_buckets(self, key: Key, bounds: Key, counts: Sequence[float], total: float) -> None:
        """Add the series of one histogram: `counts` up to each of the bounds, of which the last is +Inf and holds all."""
        self.series += _series_of(key, bounds)
        self.values += counts
        self.values += (counts[-1], total)


@lru_cache(maxsize=REMEMBERED)
def _series_of_each(suffix: str, key: Key, last: Key) -> tuple[tuple[str, Key], ...]:
    return tuple((suffix, (*key, value)) for value in last)


@lru_cache(maxsize=REMEMBERED)
def _series_of(key: Key, bounds: Key) -> tuple[tuple[str, Key], ...]:
    return (*(("_bucket", (*key, bound)) for bound in bounds), ("_count", key), ("_sum", key))


@dataclass(frozen=True)
class _Written:
    series: list[tuple[str, Key]]
    starts: list[str]


class TextWriter:
    """Writes Prometheus's text format 0.0.4. What a line begins with is kept from one scrape to the next, since series seldom change."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def write(self, families: Iterable[Family]) -> bytes:
        """Give the whole answer to a scrape."""
        return "".join(part for family in families for part in self._parts(family)).encode()

    def _parts(self, family: Family) -> tuple[str, str, str]:
        shown = family.name + ("_total" if family.kind == "counter" else "")
        head = f"# HELP {shown} {_escaped(family.text)}\n# TYPE {shown} {family.kind}"
        values = list(map(repr, family.values))
        if not math.isfinite(sum(family.values)):
            values = [SPECIAL.get(value, value) for value in values]
        return head, "".join(map(add, self._starts(family), values)), "\n"

    def _starts(self, family: Family) -> list[str]:
        written = self._written.get(family.name)
        if written is None or written.series != family.series:
            written = _Written(series=family.series, starts=[_start(family, suffix, key) for suffix, key in family.series])
            self._written[family.name] = written
        return written.starts


def _start(family: Family, suffix: str, key: Key) -> str:
    labels = ",".join(f'{name}="{_escaped(value, quoted=True)}"' for name, value in zip(family.labels_of(suffix), key, strict=True))
    return f"\n{family.name}{suffix}{{{labels}}} " if labels else f"\n{family.name}{suffix} "


def _escaped(text: str, *, quoted: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quoted else text
