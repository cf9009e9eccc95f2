"""Metrics of what the monitor saw. All are restored from the ledger, so a restart of the monitor resets none."""

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta

from monitoring.checks import DURATION_BOUNDS_SECONDS, CheckSums
from monitoring.clock import Moment
from monitoring.exporter.families import Family, Histogram, Key, counter, gauge
from monitoring.exporter.grouped import name_bounds
from monitoring.exporter.intervals import Intervals
from monitoring.exporter.latencies import Latencies
from monitoring.exporter.promises import collect_budgets
from monitoring.ledger import SERVICE, Ledger, State
from monitoring.targets import Target
from monitoring.uptime import Uptime
from monitoring.verdict import ESSENTIAL_PROBES

COVERAGE_WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "30d": timedelta(days=30)}
CHECK_RESULTS = ("healthy", "unhealthy")
DURATION_BOUNDS = name_bounds(DURATION_BOUNDS_SECONDS)
NO_CHECKS = CheckSums(0, 0, 0.0, (0,) * len(DURATION_BOUNDS))
SERVING = (State.UP.value, State.DEGRADED.value)
STATES = tuple(state.value for state in State)


class Seen:
    """What was seen of the targets, from one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads nothing yet."""
        self._ledger = ledger
        self._intervals = Intervals(ledger)
        self._latencies = Latencies(ledger)

    def collect(self, targets: tuple[Target, ...], now: Moment) -> Iterator[Family]:
        """All series of all configured targets exist from the start."""
        self._intervals.refresh()
        watched = [(target.crm, name) for target in targets for name in (*target.probes, SERVICE)]
        yield _crm_info(targets)
        yield self._state_seconds(watched)
        yield from self._latest(watched)
        yield from self._checks([(target.crm, name) for target in targets for name in target.probes])
        yield self._outages(targets)
        yield self._coverage(targets, now)
        yield self._maintenance(targets)
        until_ms = self._ledger.position_ms(now)
        latencies = self._latencies.of_a_month([target.crm for target in targets], until_ms)
        yield collect_budgets(targets, lambda crm, window: self._intervals.uptime(crm, window, until_ms), latencies)

    def uptime(self, crm: str, window: timedelta, until_ms: int) -> Uptime:
        """How a CRM spent the window that ends at a place on the ledger's time axis, by what was collected last."""
        return self._intervals.uptime(crm, window, until_ms)

    def _state_seconds(self, watched: Iterable[Key]) -> Family:
        text = "Time that a probe, or the CRM as a whole (target service), spent in a state."
        family = counter("appliance_probe_state_seconds", text, ("crm", "target", "state"))
        for crm, target in watched:
            family.add_each((crm, target), STATES, self._intervals.past[crm, target].spent_seconds(STATES))
        return family

    def _latest(self, watched: Iterable[Key]) -> Iterator[Family]:
        up = gauge("appliance_probe_up", "Whether it answered as it should when last seen.", ("crm", "target"))
        seen = gauge("appliance_probe_last_timestamp_seconds", "When it was last seen.", ("crm", "target"))
        for crm, target in watched:
            newest = self._intervals.past[crm, target].newest
            up.add((crm, target), newest is not None and newest.state in SERVING)
            seen.add((crm, target), 0 if newest is None else newest.ended_at)
        yield up
        yield seen

    def _checks(self, probed: Iterable[tuple[str, str]]) -> Iterator[Family]:
        sums = self._ledger.check_sums()
        checks = counter("appliance_probe_checks", "Probes carried out.", ("crm", "target", "result"))
        durations = Histogram("appliance_probe_duration_seconds", "How long a probe took.", ("crm", "target"))
        for key in probed:
            healthy, unhealthy, seconds, buckets = sums.get(key, NO_CHECKS)
            checks.add_each(key, CHECK_RESULTS, (healthy, unhealthy))
            durations.add_buckets(key, DURATION_BOUNDS, buckets, seconds)
        yield checks
        yield durations

    def _outages(self, targets: tuple[Target, ...]) -> Family:
        counts = self._intervals.outages
        text = "Outages of the CRM, by the probe that saw them first."
        family = counter("appliance_outages", text, ("crm", "cause"))
        crms = {target.crm for target in targets}
        possible = {(target.crm, cause) for target in targets for cause in _possible_causes(target)}
        for key in sorted(possible | {key for key in counts if key[0] in crms}):
            family.add(key, counts[key])
        return family

    def _maintenance(self, targets: tuple[Target, ...]) -> Family:
        family = gauge("appliance_crm_maintenance", "Whether the CRM is in maintenance.", ("crm",))
        for target in targets:
            newest = self._intervals.past[target.crm, SERVICE].newest
            family.add((target.crm,), newest is not None and newest.state == State.MAINTENANCE.value)
        return family

    def _coverage(self, targets: tuple[Target, ...], now: Moment) -> Family:
        text = "Share of the window in which the CRMs were seen; NaN before there is anything to see."
        family = gauge("appliance_monitor_coverage_ratio", text, ("window",))
        crms = {target.crm for target in targets}
        for name, window in COVERAGE_WINDOWS.items():
            ratio = self._intervals.coverage_ratio(crms, window, now)
            family.add((name,), math.nan if ratio is None else ratio)
        return family


def _crm_info(targets: tuple[Target, ...]) -> Family:
    info = gauge("appliance_crm_info", "What runs under the name of a CRM, and where.", ("crm", "product", "release", "host"))
    for target in targets:
        info.add((target.crm, target.product, target.release, target.host), 1)
    return info


def _possible_causes(target: Target) -> list[str]:
    return [name for name in ESSENTIAL_PROBES if name in target.probes] or list(target.probes)
