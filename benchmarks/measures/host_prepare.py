"""What several hosts that are prepared together cost, beside one alone."""

import time
from statistics import median

from appliance.domain.host import subject_of
from benchmarks.figure import Measure, Say, Taken
from benchmarks.hosts import own_lab, require_success
from tests.hosts.world import a_world
from tests.lab.lab import Lab

TOGETHER = 4
RELEASE = "bookworm"


def take(rounds: int, say: Say) -> Taken:
    """Prepare one fresh host and then four at once, each round with an appliance that knows none of them."""
    together, alone = [], []
    with own_lab() as lab:
        for number in range(rounds):
            alone.append(_prepare(lab, 1))
            together.append(_prepare(lab, TOGETHER))
            say(f"round {number + 1}: one {alone[-1]:.1f} s, {TOGETHER} together {together[-1]:.1f} s")
    note = (
        f"Medians of {rounds} rounds: from the request until the last of {TOGETHER} fresh {RELEASE} hosts is prepared, beside one. "
        "The hosts share the processors of this machine, which real hosts would not."
    )
    return Taken(ours=median(together), reference=median(alone), note=note)


def _prepare(lab: Lab, count: int) -> float:
    with lab.lending() as lend, a_world() as world:
        names = [f"web{number}" for number in range(1, count + 1)]
        for name, host in zip(names, lend.many(count, RELEASE), strict=True):
            world.add(host, name)
        began = time.monotonic()
        requested = [world.request("host-prepare", subject_of(name)) for name in names]
        for ended in map(world.ended, requested):
            require_success(ended)
        return time.monotonic() - began


MEASURE = Measure(
    name="host_prepare",
    title=f"host prepare on {TOGETHER} hosts together against one",
    unit="s",
    goal=1.5,
    rounds=3,
    take=take,
)
