"""How long it takes until a lost database answers again, beside restic, recovery and start by hand."""

from benchmarks.course import measured
from benchmarks.figure import Measure, Say, Taken


def take(rounds: int, say: Say) -> Taken:
    """Ours against the bare commands."""
    taken = measured(rounds, say).restoring
    return Taken(ours=taken.ours, reference=taken.bare, note=taken.told)


MEASURE = Measure(
    name="restore_full",
    title="a restore until the database answers, against restic, recovery and start by hand",
    unit="s",
    goal=1.2,
    rounds=1,
    take=take,
)
