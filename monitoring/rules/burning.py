"""Error budgets that burn: two windows each, the long one to be sure, the short one so that it ends soon after the trouble does.

The factors are those of the SRE workbook (chapter 5): 14.4 spends 2 % of a month's budget in an hour, 6 spends 5 % in six hours,
3 and 1 spend 10 % in one day and in three.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from monitoring.rules.conditions import Momentary, growth
from monitoring.rules.series import Found, Labels, Metric, View, added, only, span
from monitoring.uptime import Uptime

SEEN = ("up", "degraded", "down")
SECONDS = "appliance_probe_state_seconds_total"
CHECKED, WITHIN = "appliance_probe_duration_seconds_count", "appliance_probe_duration_seconds_bucket"
BOUND = Metric(name="appliance_slo_latency_bound")
BUCKET = f'label_replace({BOUND.name}, "le", "$1", "bound", "(.+)")'
"""The same with the label that buckets have, which only histograms may."""
LATENCY_PROBES = {"target": ("ready", "deep")}
"""What people wait for: a page, and a page behind a log-in."""


def objective(slo: str) -> Metric:
    """What is promised, as a share."""
    return Metric(name="appliance_slo_objective_ratio", where={"slo": (slo,)})


@dataclass(frozen=True, kw_only=True)
class AvailabilityBurns(Momentary):
    """Time down of the time seen, in both windows, spends the budget `factor` times as fast as it would last.

    What nobody saw and maintenance count for nothing; where half of the long window or less was seen, as of a new CRM, nothing is said.
    """

    factor: float
    long: timedelta
    short: timedelta

    def promql(self) -> str:
        """For Prometheus."""
        enough = f"{_time(self.long, *SEEN)} > {self._enough_seconds:g}"
        return f"{self._burns(self.long)} and {self._burns(self.short)} and {enough}"

    @property
    def _enough_seconds(self) -> float:
        return self.long.total_seconds() / 2

    def _burns(self, window: timedelta) -> str:
        budget = f"{self.factor:g} * (1 - max by (crm) ({objective('availability').promql()}))"
        return f"{_time(window, 'down')} / {_time(window, *SEEN)} > {budget}"

    def holds_for(self, view: View) -> Found:
        """CRMs whose budget burns, with the share of the long window in which they were down."""
        found: Found = {}
        for labels, promised in view.snapshot.of(objective("availability")).items():
            crm, limit = dict(labels)["crm"], self.factor * (1 - promised)
            long = view.past.uptime(crm, self.long)
            is_burning = _down_share(long) > limit and long.seen_seconds > self._enough_seconds
            if is_burning and _down_share(view.past.uptime(crm, self.short)) > limit:
                found[only(labels, ("crm",))] = _down_share(long)
        return found


def _down_share(uptime: Uptime) -> float:
    """Of the time that was seen; nothing where none was."""
    return 0.0 if uptime.observed_ratio is None else 1 - uptime.observed_ratio


def _time(window: timedelta, *states: str) -> str:
    series = Metric(name=SECONDS, where={"target": ("service",), "state": states})
    return f"sum by (crm) (increase({series.promql()}[{span(window)}]))"


@dataclass(frozen=True, kw_only=True)
class LatencyBurns:
    """Probes that took longer than promised, of all probes, in both windows spend the budget `factor` times as fast as it would last."""

    factor: float
    long: timedelta
    short: timedelta

    def promql(self) -> str:
        """For Prometheus."""
        return f"{self._burns(self.long)} and {self._burns(self.short)}"

    def _burns(self, window: timedelta) -> str:
        every = f"sum by (crm) (increase({Metric(name=CHECKED, where=LATENCY_PROBES).promql()}[{span(window)}]))"
        bucket = Metric(name=WITHIN, where=LATENCY_PROBES).promql()
        within = f"sum by (crm) (increase({bucket}[{span(window)}]) * on (crm, le) group_left () {BUCKET})"
        return f"1 - {within} / {every} > {self.factor:g} * (1 - max by (crm) ({objective('latency').promql()}))"

    def holds_for(self, view: View) -> Found:
        """CRMs whose budget burns, with the share of probes in the long window that were too slow."""
        promised = view.snapshot.of(objective("latency")).items()
        limits = {only(labels, ("crm",)): self.factor * (1 - ratio) for labels, ratio in promised}
        found = {crm: share for crm, share in self._slow(view, self.long).items() if crm in limits and share > limits[crm]}
        short = self._slow(view, self.short) if found else {}
        return {crm: share for crm, share in found.items() if short.get(crm, 0.0) > limits[crm]}

    def _slow(self, view: View, window: timedelta) -> Found:
        checked: Found = {}
        within: Found = {}
        for name, labels, value in _latency_series(view):
            (checked if name == CHECKED else within)[labels] = growth(view, name, labels, value, window)
        fast = added(within, ("crm",))
        return {crm: 1 - fast.get(crm, 0.0) / every for crm, every in added(checked, ("crm",)).items() if every > 0}

    def remembered(self, view: View) -> Iterator[tuple[str, Labels, timedelta]]:
        """How many probes there were, and how many within what is promised now."""
        yield from ((name, labels, self.long) for name, labels, _ in _latency_series(view))


def _latency_series(view: View) -> Iterator[tuple[str, Labels, float]]:
    bounds = {tuple(("le" if label == "bound" else label, value) for label, value in labels) for labels in view.snapshot.of(BOUND)}
    for name, among in ((CHECKED, ("crm",)), (WITHIN, ("crm", "le"))):
        promised = {tuple(sorted(only(bound, among))) for bound in bounds}
        for labels, value in view.snapshot.of(Metric(name=name, where=LATENCY_PROBES)).items():
            if only(labels, among) in promised:
                yield name, labels, value
