"""The memory of the monitor that watches a thousand CRMs, beside Prometheus and its blackbox exporter."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.probing import CRMS, measured


def take(_: int, say: Say) -> Taken:
    """After a minute and a half of work."""
    probing = measured(say)
    note = (
        f"Memory that belongs to the processes alone, while {CRMS} CRMs are watched; the reference is the blackbox exporter and "
        "Prometheus together."
    )
    return Taken(ours=probing.ours.memory_mib, reference=probing.reference.memory_mib, note=note)


MEASURE = Measure(
    name="probes_memory",
    title=f"memory of the monitor of {CRMS} CRMs, against Prometheus and its blackbox exporter",
    unit="MiB",
    goal=1.0,
    rounds=1,
    take=take,
)
