"""How long the slowest list of the API takes on one core, of an appliance with a thousand CRMs and a long life."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.many import LONG_LIFE, measured, p95, slowest, told


def take(rounds: int, say: Say) -> Taken:
    """Ask every list, with others in turn."""
    asked = measured(rounds, say)
    worst = slowest(asked.lists)[0]
    note = (
        f"95 of 100 answers to GET {worst} took no longer, the slowest of "
        f"{len(asked.lists)} lists; {rounds} answers of each over HTTP, on "
        f"one core. {LONG_LIFE} Slowest, p50/p95: {told(asked.lists)}. The reference is the longest wait that is wanted."
    )
    return Taken(ours=p95(asked.lists[worst]), reference=30.0, note=note)


MEASURE = Measure(
    name="panel_lists",
    title="the slowest list of the API with 1,000 CRMs on one core, against the longest wait that is wanted",
    unit="ms",
    goal=1.0,
    rounds=40,
    take=take,
)
