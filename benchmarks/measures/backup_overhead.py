"""What it costs the CRM's transactions that every change is received and shipped."""

import re
from statistics import mean

from benchmarks.cluster import Cluster, quietly
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.keeping import keeping
from benchmarks.privilege import require_root

SCALE, FILES = 20, 10
SECONDS, CLIENTS = 30, 4
SHIPPED_EVERY_SECONDS = 20
"""Three times as often as the appliance does by itself, so that it happens while each is measured."""
LATENCY = re.compile(r"latency average = (\d+\.\d+) ms")


def take(rounds: int, say: Say) -> Taken:
    """pgbench without and with the log received, in turn."""
    require_root("backup_overhead")
    without, received = [], []
    with keeping(say, scale=SCALE, files=FILES) as kept:
        for number in range(rounds + 1):
            without.append(_milliseconds(kept.cluster))
            with kept.received(every_seconds=SHIPPED_EVERY_SECONDS):
                received.append(_milliseconds(kept.cluster))
            kept.cluster.sql("select pg_drop_replication_slot('crm_backup')")
            say(f"{'unmeasured' if number == 0 else f'round {number}'}: without {without[-1]:.3f} ms, received {received[-1]:.3f} ms")
    note = (
        f"Means of {rounds} runs of pgbench in turn, {SECONDS} s each with {CLIENTS} clients as fast as they can, its own read-write "
        f"transactions; milliseconds of a transaction. The log is received all the time and shipped each {SHIPPED_EVERY_SECONDS} s."
    )
    return Taken(ours=mean(received[1:]), reference=mean(without[1:]), note=note)


def _milliseconds(cluster: Cluster) -> float:
    cluster.sql("checkpoint")
    argv = [cluster.program("pgbench"), *cluster.address, "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "--no-vacuum", "crm"]
    found = LATENCY.search(quietly(argv))
    if found is None:
        raise MeasureFailed("pgbench told no latency.")
    return float(found[1])


MEASURE = Measure(
    name="backup_overhead",
    title="a transaction while the log is received and shipped, against one without",
    unit="ms",
    goal=1.03,
    rounds=3,
    take=take,
)
