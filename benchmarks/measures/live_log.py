"""How far behind a live log of ten thousand lines a second is read, without a line lost."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.live import streamed

LINES, SECONDS = 100_000, 10.0


def take(rounds: int, say: Say) -> Taken:
    """The best of so many: whoever else uses the machine makes it slower, never faster."""
    best = min((streamed(1, LINES, SECONDS, say) for _ in range(rounds)), key=lambda one: one.behind_seconds)
    note = (
        f"Seconds from the writing of the last of {LINES:,} lines, which took {best.wrote_seconds:.1f} s, until the page's stream had "
        "it; "
        f"the best of {rounds} rounds. Each line came once and in its order. The panel took {best.busy_percent:.0f} % of a core and has "
        f"{best.resident_mb:.0f} MB. The reference is the longest that is wanted."
    )
    return Taken(ours=best.behind_seconds, reference=1.0, note=note)


MEASURE = Measure(
    name="live_log",
    title="how far behind a log of 10,000 lines a second is read, against the longest that is wanted",
    unit="s",
    goal=1.0,
    rounds=3,
    take=take,
)
