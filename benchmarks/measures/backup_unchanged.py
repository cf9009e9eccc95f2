"""What a recovery point costs when nothing has changed since the last one."""

from benchmarks.course import measured
from benchmarks.figure import Measure, Say, Taken

LONGEST_SECONDS = 2.0
"""The goal of the issue that asked for this: the reference is this figure, not another program."""


def take(rounds: int, say: Say) -> Taken:
    """Ours against the longest that is wanted."""
    taken = measured(rounds, say).saving
    return Taken(ours=taken.unchanged, reference=LONGEST_SECONDS, note=taken.told)


MEASURE = Measure(
    name="backup_unchanged",
    title="a recovery point when nothing has changed, against the longest that is wanted",
    unit="s",
    goal=1.0,
    rounds=1,
    take=take,
)
