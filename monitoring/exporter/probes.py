"""Metrics of what the monitor saw. All are restored from the ledger, so a restart of the monitor resets none."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from monitoring.clock import Moment
from monitoring.exporter.grouped import cumulate
from monitoring.ledger import DURATION_BOUNDS_SECONDS, SERVICE, Ledger, State
from monitoring.targets import Target
from monitoring.uptime import add_up
from monitoring.verdict import ESSENTIAL_PROBES

COVERAGE_WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "30d": timedelta(days=30)}
CHECK_RESULTS = ("healthy", "unhealthy")


def collect_probes(ledger: Ledger, targets: Iterable[Target], now: Moment) -> Iterator[Metric]:
    """All series of all configured targets exist from the start."""
    targets = tuple(targets)
    watched = [(target.crm, name) for target in targets for name in (*target.probes, SERVICE)]
    probed = [(target.crm, name) for target in targets for name in target.probes]
    yield _crm_info(targets)
    yield _state_seconds(ledger, watched)
    yield from _latest(ledger, watched)
    yield from _checks(ledger, probed)
    yield _outages(ledger, targets)
    yield _coverage(ledger, targets, now)


def _crm_info(targets: tuple[Target, ...]) -> Metric:
    info = GaugeMetricFamily("appliance_crm_info", "What runs under the name of a CRM.", labels=["crm", "product", "release"])
    for target in targets:
        info.add_metric([target.crm, target.product, target.release], 1)
    return info


def _state_seconds(ledger: Ledger, watched: Iterable[tuple[str, str]]) -> Metric:
    spent = ledger.state_seconds()
    text = "Time that a probe, or the CRM as a whole (target service), spent in a state."
    family = CounterMetricFamily("appliance_probe_state_seconds", text, labels=["crm", "target", "state"])
    for crm, target in watched:
        for state in State:
            family.add_metric([crm, target, state.value], spent.get((crm, target, state), 0))
    return family


def _latest(ledger: Ledger, watched: Iterable[tuple[str, str]]) -> Iterator[Metric]:
    latest = ledger.latest()
    up = GaugeMetricFamily("appliance_probe_up", "Whether it answered as it should when last seen.", labels=["crm", "target"])
    seen = GaugeMetricFamily("appliance_probe_last_timestamp_seconds", "When it was last seen.", labels=["crm", "target"])
    for key in watched:
        interval = latest.get(key)
        up.add_metric(key, float(interval is not None and interval.state in (State.UP, State.DEGRADED)))
        seen.add_metric(key, interval.ended_at.timestamp() if interval else 0)
    yield up
    yield seen


def _checks(ledger: Ledger, probed: Iterable[tuple[str, str]]) -> Iterator[Metric]:
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    buckets: dict[tuple[str, str], dict[float, int]] = defaultdict(lambda: defaultdict(int))
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    for crm, target, result, bound, count, took_seconds in ledger.check_counts():
        counts[crm, target, result] += count
        buckets[crm, target][bound] += count
        seconds[crm, target] += took_seconds
    checks = CounterMetricFamily("appliance_probe_checks", "Probes carried out.", labels=["crm", "target", "result"])
    durations = HistogramMetricFamily("appliance_probe_duration_seconds", "How long a probe took.", labels=["crm", "target"])
    for crm, target in probed:
        for result in CHECK_RESULTS:
            checks.add_metric([crm, target, result], counts[crm, target, result])
        durations.add_metric([crm, target], cumulate(buckets[crm, target], DURATION_BOUNDS_SECONDS), seconds[crm, target])
    yield checks
    yield durations


def _outages(ledger: Ledger, targets: tuple[Target, ...]) -> Metric:
    counts = ledger.outage_counts()
    family = CounterMetricFamily("appliance_outages", "Outages of the CRM, by the probe that saw them first.", labels=["crm", "cause"])
    crms = {target.crm for target in targets}
    possible = {(target.crm, cause) for target in targets for cause in _possible_causes(target)}
    for key in sorted(possible | {key for key in counts if key[0] in crms}):
        family.add_metric(key, counts.get(key, 0))
    return family


def _possible_causes(target: Target) -> list[str]:
    return [name for name in ESSENTIAL_PROBES if name in target.probes] or list(target.probes)


def _coverage(ledger: Ledger, targets: tuple[Target, ...], now: Moment) -> Metric:
    text = "Share of the window in which the CRMs were seen; NaN before there is anything to see."
    family = GaugeMetricFamily("appliance_monitor_coverage_ratio", text, labels=["window"])
    for name, window in COVERAGE_WINDOWS.items():
        ratio = add_up(ledger.uptime(target.crm, window, now) for target in targets).coverage_ratio
        family.add_metric([name], math.nan if ratio is None else ratio)
    return family
