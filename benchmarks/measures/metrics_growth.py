"""Whether the answer to Prometheus grows no faster than the number of CRMs: ten thousand against ten times what a thousand take."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.measures.metrics import CRMS, answered

TIMES = 10


def take(rounds: int, say: Say) -> Taken:
    """Both by the same server on one core, with the same history of each CRM."""
    few, many = (answered(crms, rounds, say) for crms in (CRMS, TIMES * CRMS))
    note = (
        f"Median of {rounds} answers with {TIMES * CRMS:,} CRMs, {many.size_bytes / 1024**2:.0f} MiB of text, against {TIMES} times that "
        f"with {CRMS:,}, which is {few.milliseconds:.0f} ms. The first answer after a start, which reads the whole ledger, took "
        f"{many.first:.0f} ms."
    )
    return Taken(ours=many.milliseconds, reference=TIMES * few.milliseconds, note=note)


MEASURE = Measure(
    name="metrics_growth",
    title=f"the answer to Prometheus of {TIMES * CRMS:,} CRMs, against {TIMES} times that of {CRMS:,}",
    unit="ms",
    goal=1.15,
    rounds=5,
    take=take,
)
