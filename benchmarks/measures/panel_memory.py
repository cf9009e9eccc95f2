"""The memory of the panel of an appliance with a thousand CRMs and a long life, after every page and list was asked for."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.many import LONG_LIFE, measured


def take(rounds: int, say: Say) -> Taken:
    """After the last answer."""
    asked = measured(rounds, say)
    note = (
        f"Resident memory of the panel's process after {rounds} answers of each page and list; "
        f"{asked.own_mb:.0f} MB belong to it alone. "
        f"{LONG_LIFE} The reference is the most that is wanted."
    )
    return Taken(ours=asked.resident_mb, reference=150.0, note=note)


MEASURE = Measure(
    name="panel_memory",
    title="the memory of the panel after every page and list with 1,000 CRMs, against what is wanted",
    unit="MB",
    goal=1.0,
    rounds=40,
    take=take,
)
