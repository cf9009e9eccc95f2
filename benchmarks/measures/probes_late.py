"""How late the questions come when a thousand CRMs are asked every ten seconds on one core, beside Prometheus and its blackbox exporter."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.probing import CRMS, INTERVAL_SECONDS, measured


def take(_: int, say: Say) -> Taken:
    """As the asked server's own log says."""
    probing = measured(say)
    ours, reference = probing.ours, probing.reference
    longest, longest_of_reference = (max(spent.late_seconds) * 1000 for spent in (ours, reference))
    note = (
        f"By the log of the nginx that is asked: how much longer than {INTERVAL_SECONDS:g} s each of {CRMS} pages waited for its next "
        f"question; 99 of 100 waited no longer than that. The longest: {longest:.0f} ms, of the reference {longest_of_reference:.0f} ms."
    )
    return Taken(ours=ours.late_p99_seconds * 1000, reference=reference.late_p99_seconds * 1000, note=note)


MEASURE = Measure(
    name="probes_late",
    title=f"lateness of the questions to {CRMS} CRMs on one core, against Prometheus and its blackbox exporter",
    unit="ms",
    goal=1.0,
    rounds=1,
    take=take,
)
