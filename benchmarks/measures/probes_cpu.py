"""What it takes to ask a thousand CRMs every ten seconds on one core, beside Prometheus and its blackbox exporter."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.probing import CRMS, INTERVAL_SECONDS, WATCHED_SECONDS, measured


def take(_: int, say: Say) -> Taken:
    """Both do the same: ask each page, look for a text in it, and keep what came of it."""
    probing = measured(say)
    ours, reference = probing.ours, probing.reference
    blackbox, prometheus = (reference.by_program[name] for name in ("blackbox", "prometheus"))
    note = (
        f"Share of one core over {WATCHED_SECONDS} s, each of {CRMS} pages of one nginx on the other core asked every "
        f"{INTERVAL_SECONDS:g} s. Ours writes each result to its ledger with fsync, and evaluates the alert rules meanwhile. The reference "
        f"is the blackbox exporter ({blackbox:.1f} %) and the Prometheus that drives it ({prometheus:.1f} %); it evaluates no rules."
    )
    return Taken(ours=ours.cpu_percent, reference=reference.cpu_percent, note=note)


MEASURE = Measure(
    name="probes_cpu",
    title=f"{CRMS} CRMs asked every {INTERVAL_SECONDS:g} s on one core, against Prometheus and its blackbox exporter",
    unit="%",
    goal=1.0,
    rounds=1,
    take=take,
)
