"""How many committed rows are lost with a database server and its directory."""

import shutil
import time

from benchmarks.figure import Measure, Say, Taken
from benchmarks.keeping import keeping
from benchmarks.losing import beating, kill_server, recovered
from benchmarks.privilege import require_root

SCALE, FILES = 10, 10
BEATING_SECONDS = 10.0
PAUSE_SECONDS = 0.0
"""As fast as one client can."""
FOUND = "select count(*) from heartbeat where number < {}"


def take(rounds: int, say: Say) -> Taken:
    """Kill the server while rows are committed, remove its directory, and count what comes back."""
    require_root("loss_database")
    lost, committed = 0, 0
    for _ in range(rounds):
        missing, confirmed = _lost(say)
        lost, committed = lost + missing, committed + confirmed
    note = (
        f"{rounds} times: one client commits a row after the other, kill -9 of the server and all its processes, its directory removed, "
        f"what was received shipped and recovered. Rows that were confirmed and did not come back, of {committed}."
    )
    return Taken(ours=lost, reference=committed, note=note)


def _lost(say: Say) -> tuple[int, int]:
    with keeping(say, scale=SCALE, files=FILES) as kept:
        with kept.received():
            kept.run("base", base="base", **kept.log)
            with beating(kept.cluster, pause_seconds=PAUSE_SECONDS) as heart:
                time.sleep(BEATING_SECONDS)
                kill_server(kept.cluster)
                shutil.rmtree(kept.cluster.data)
            kept.run("ship", **kept.log)
        with recovered(kept) as copy:
            found = copy.answer(FOUND.format(len(heart.confirmed)))
    say(f"{len(heart.confirmed)} rows were confirmed, {found} of them came back")
    return len(heart.confirmed) - found, len(heart.confirmed)


MEASURE = Measure(
    name="loss_database",
    title="committed rows lost with a database server and its directory",
    unit="rows",
    goal=0.0,
    rounds=3,
    take=take,
)
