"""Error budgets that burn: two windows each, the long one to be sure, the short one so that it ends soon after the trouble does."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from monitoring.latencies import COUNTED
from monitoring.rules.conditions import Momentary
from monitoring.rules.series import Found, Labels, Metric, View, only, span
from monitoring.uptime import Uptime

SEEN = ("up", "degraded", "down")
SECONDS = "appliance_probe_state_seconds_total"
CHECKED, WITHIN = "appliance_probe_duration_seconds_count", "appliance_probe_duration_seconds_bucket"
BOUND = Metric(name="appliance_slo_latency_bound")
BUCKET = f'label_replace({BOUND.name}, "le", "$1", "bound", "(.+)")'
"""The same with the label that buckets have, which only histograms may."""
LATENCY_PROBES = {"target": COUNTED}
Shares = dict[str, float]
"""By CRM, the share of a window that spends its budget."""


@dataclass(frozen=True, kw_only=True)
class Burns(Momentary, ABC):
    """In both windows the budget is spent `factor` times as fast as it would last.

    What nobody saw and maintenance count for nothing; where half of the long window or less was seen, as of a new CRM, nothing is said.
    """

    slo: ClassVar[str]
    factor: float
    long: timedelta
    short: timedelta

    def promql(self) -> str:
        """For Prometheus."""
        enough = f"{_time(self.long, *SEEN)} > {self._enough_seconds:g}"
        return f"{self._burns(self.long)} and {self._burns(self.short)} and {enough}"

    def holds_for(self, view: View) -> Found:
        """CRMs whose budget burns, with the share of the long window that spends it."""
        promised = view.snapshot.of(self._objective)
        limits = {dict(labels)["crm"]: self.factor * (1 - share) for labels, share in promised.items()}
        burning = _above(limits, self.shares(view, self.long, limits))
        seen = {crm: share for crm, share in burning.items() if view.past.uptime(crm, self.long).seen_seconds > self._enough_seconds}
        still = _above(limits, self.shares(view, self.short, seen))
        return {(("crm", crm),): seen[crm] for crm in still}

    @abstractmethod
    def share_promql(self, window: timedelta) -> str:
        """The share of a window that spends the budget, for Prometheus."""

    @abstractmethod
    def shares(self, view: View, window: timedelta, crms: Collection[str]) -> Shares:
        """The same from the appliance's own data, of these CRMs as far as there is anything to divide by."""

    @property
    def _objective(self) -> Metric:
        return Metric(name="appliance_slo_objective_ratio", where={"slo": (self.slo,)})

    @property
    def _enough_seconds(self) -> float:
        return self.long.total_seconds() / 2

    def _burns(self, window: timedelta) -> str:
        return f"{self.share_promql(window)} > {self.factor:g} * (1 - max by (crm) ({self._objective.promql()}))"


def _above(limits: Mapping[str, float], shares: Shares) -> Shares:
    return {crm: share for crm, share in shares.items() if share > limits[crm]}


def _time(window: timedelta, *states: str) -> str:
    series = Metric(name=SECONDS, where={"target": ("service",), "state": states})
    return f"sum by (crm) (increase({series.promql()}[{span(window)}]))"


@dataclass(frozen=True, kw_only=True)
class AvailabilityBurns(Burns):
    """Time down of the time seen."""

    slo = "availability"

    def share_promql(self, window: timedelta) -> str:
        """For Prometheus."""
        return f"{_time(window, 'down')} / {_time(window, *SEEN)}"

    def shares(self, view: View, window: timedelta, crms: Collection[str]) -> Shares:
        """From the ledger's intervals."""
        return {crm: _down_share(view.past.uptime(crm, window)) for crm in crms}


def _down_share(uptime: Uptime) -> float:
    """Of the time that was seen; nothing where none was."""
    return 0.0 if uptime.observed_ratio is None else 1 - uptime.observed_ratio


@dataclass(frozen=True, kw_only=True)
class LatencyBurns(Burns):
    """Probes that took longer than promised, of all probes."""

    slo = "latency"

    def share_promql(self, window: timedelta) -> str:
        """For Prometheus."""
        every = f"sum by (crm) (increase({Metric(name=CHECKED, where=LATENCY_PROBES).promql()}[{span(window)}]))"
        bucket = Metric(name=WITHIN, where=LATENCY_PROBES).promql()
        within = f"sum by (crm) (increase({bucket}[{span(window)}]) * on (crm, le) group_left () {BUCKET})"
        return f"1 - {within} / {every}"

    def shares(self, view: View, window: timedelta, crms: Collection[str]) -> Shares:
        """From what the probes' counters were when the window began."""
        counts: dict[str, Shares] = {CHECKED: {}, WITHIN: {}}
        for name, labels, value in _latency_series(view, crms):
            crm, of_crm = dict(labels)["crm"], counts[name]
            of_crm[crm] = of_crm.get(crm, 0.0) + _grown(view.past.began(name, labels, window), value)
        within = counts[WITHIN]
        return {crm: 1 - within.get(crm, 0.0) / every for crm, every in counts[CHECKED].items() if every > 0}

    def remembered(self, view: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """How many probes there were, and how many within what is promised now."""
        crms = {dict(labels)["crm"] for labels in view.snapshot.of(BOUND)}
        yield from ((name, labels, self.long) for name, labels, _ in _latency_series(view, crms))


def _grown(before: float | None, now: float) -> float:
    """Of a counter that was not known before nothing is said; one that fell, as with a mended ledger, began anew at 0."""
    if before is None:
        return 0.0
    return now - before if now >= before else now


def _latency_series(view: View, crms: Collection[str]) -> Iterator[tuple[str, Labels, float]]:
    if not crms:
        return
    bounds = [tuple(("le" if label == "bound" else label, value) for label, value in labels) for labels in view.snapshot.of(BOUND)]
    for name, among in ((CHECKED, ("crm",)), (WITHIN, ("crm", "le"))):
        promised = {tuple(sorted(only(bound, among))) for bound in bounds if dict(bound)["crm"] in crms}
        for labels, value in view.snapshot.of(Metric(name=name, where=LATENCY_PROBES)).items():
            if only(labels, among) in promised:
                yield name, labels, value
