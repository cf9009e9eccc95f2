"""Metrics of what is promised of each CRM, and of what is left of it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from monitoring.exporter.families import Family, gauge
from monitoring.latencies import NONE, Buckets, share_within
from monitoring.targets import Target
from monitoring.uptime import Uptime

BUDGET_WINDOW = timedelta(days=30)


def collect_promises(targets: Sequence[Target]) -> Iterator[Family]:
    """One series of each for each CRM; of a recovery time only where one is promised."""
    ratio = gauge("appliance_slo_objective_ratio", "The share that is promised: of time served, of probes fast enough.", ("crm", "slo"))
    bound = gauge("appliance_slo_latency_bound", "Always 1; `bound` is the bucket of the probes that are fast enough.", ("crm", "bound"))
    rpo = gauge("appliance_rpo_objective_seconds", "How old the newest recoverable second may become.", ("crm",))
    rto = gauge("appliance_rto_objective_seconds", "How long a restore may take.", ("crm",))
    interval = gauge("appliance_backup_interval_seconds", "How long after a backup the next one is expected.", ("crm",))
    for target in targets:
        promises, crm = target.promises, target.crm
        ratio.add_each((crm,), ("availability", "latency"), (promises.availability_ratio, promises.latency_ratio))
        bound.add((crm, str(promises.latency_seconds)), 1)
        rpo.add((crm,), promises.rpo_seconds)
        if promises.rto_seconds is not None:
            rto.add((crm,), promises.rto_seconds)
        interval.add((crm,), promises.backup_interval_seconds)
    yield from (ratio, bound, rpo, rto, interval)


def collect_budgets(targets: Sequence[Target], uptime: Callable[[str, timedelta], Uptime], latencies: Mapping[str, Buckets]) -> Family:
    """What is left of 30 days' error budget: 1 is all of it, below 0 is overdrawn; NaN before anything was seen."""
    text = "Share of the error budget of 30 days that is left."
    family = gauge("appliance_slo_error_budget_remaining_ratio", text, ("crm", "slo"))
    for target in targets:
        observed = uptime(target.crm, BUDGET_WINDOW).observed_ratio
        budget = 1 - target.promises.availability_ratio
        family.add((target.crm, "availability"), math.nan if observed is None else 1 - (1 - observed) / budget)
        within = share_within(latencies.get(target.crm, NONE), target.promises.latency_seconds)
        family.add((target.crm, "latency"), math.nan if within is None else 1 - (1 - within) / (1 - target.promises.latency_ratio))
    return family
