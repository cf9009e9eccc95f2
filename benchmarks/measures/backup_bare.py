"""What a recovery point costs after the newest 1 % of rows changed, beside restic alone with the same data."""

from benchmarks.course import measured
from benchmarks.figure import Measure, Say, Taken


def take(rounds: int, say: Say) -> Taken:
    """Ours against the runs of restic underneath."""
    taken = measured(rounds, say).saving
    return Taken(ours=taken.ours, reference=taken.bare, note=taken.told)


MEASURE = Measure(
    name="backup_bare",
    title="a recovery point after 1 % of a database changed, against restic alone",
    unit="s",
    goal=1.15,
    rounds=1,
    take=take,
)
