"""How far behind two hundred viewers of one live log are, without a line lost."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.live import streamed

VIEWERS, LINES, SECONDS = 200, 1_000, 10.0


def take(rounds: int, say: Say) -> Taken:
    """The best of so many: whoever else uses the machine makes it slower, never faster."""
    best = min((streamed(VIEWERS, LINES, SECONDS, say) for _ in range(rounds)), key=lambda one: one.behind_seconds)
    note = (
        f"Seconds from the writing of the last of {LINES:,} lines in {best.wrote_seconds:.1f} s until the slowest of {VIEWERS} viewers had "
        f"it; the best of {rounds} rounds. Each got each line once and in its order. The panel took {best.busy_percent:.0f} % of a core "
        f"and has {best.resident_mb:.0f} MB. The reference is the longest that is wanted."
    )
    return Taken(ours=best.behind_seconds, reference=1.0, note=note)


MEASURE = Measure(
    name="live_viewers",
    title="how far behind 200 viewers of one live log are, against the longest that is wanted",
    unit="s",
    goal=1.0,
    rounds=3,
    take=take,
)
