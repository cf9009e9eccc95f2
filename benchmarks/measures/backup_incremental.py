"""What a recovery point costs after the newest 1 % of rows changed, beside the dump that many take every night."""

from benchmarks.course import measured
from benchmarks.figure import Measure, Say, Taken


def take(rounds: int, say: Say) -> Taken:
    """Ours against the usual way."""
    taken = measured(rounds, say).saving
    return Taken(ours=taken.ours, reference=taken.usual, note=taken.told)


MEASURE = Measure(
    name="backup_incremental",
    title="a recovery point after 1 % of a database changed, against pg_dump -Fc into restic",
    unit="s",
    goal=0.05,
    rounds=1,
    take=take,
)
