"""How long it takes until a lost database answers again, beside the dump that many restore."""

from benchmarks.course import measured
from benchmarks.figure import Measure, Say, Taken


def take(rounds: int, say: Say) -> Taken:
    """Ours against the usual way."""
    taken = measured(rounds, say).restoring
    return Taken(ours=taken.ours, reference=taken.usual, note=taken.told)


MEASURE = Measure(
    name="restore_usual",
    title="a restore until the database answers, against a dump out of restic and pg_restore -j2",
    unit="s",
    goal=0.333,
    rounds=1,
    take=take,
)
