"""How long an upgrade turns visitors away, beside the least that has to happen meanwhile."""

from statistics import median

from benchmarks.figure import Measure, Say, Taken
from benchmarks.house import own_appliance
from benchmarks.privilege import require_root
from benchmarks.upgrading import FROM_RELEASE, INSTANCE, TO_RELEASE, bare_seconds, install, upgrade_outage


def take(rounds: int, say: Say) -> Taken:
    """Upgrade one instance, rolled back between rounds; after each upgrade the reference runs on an equal copy of the old database."""
    require_root("downtime")
    ours, reference = [], []
    with own_appliance(INSTANCE, say) as house:
        install(house, say)
        for number in range(rounds):
            if number:
                house.carry_out("rollback", {}, say)
            ours.append(upgrade_outage(house, say))
            reference.append(bare_seconds(house, say))
            say(f"round {number + 1}: turned away for {ours[-1]:.1f} s, bare commands {reference[-1]:.1f} s")
    note = (
        f"Medians of {rounds} upgrades of Creme {FROM_RELEASE} to {TO_RELEASE} with 300 records; the login page asked for every "
        "50 ms through nginx, from the first answer but 200 to the next 200. The reference is migrate, creme_populate and one "
        "restart of gunicorn until it answers, bare, by the same built release on an equal copy of the database."
    )
    return Taken(ours=median(ours), reference=median(reference), note=note)


MEASURE = Measure(
    name="downtime",
    title=f"downtime of an upgrade of Creme {FROM_RELEASE} to {TO_RELEASE} against the bare commands",
    unit="s",
    goal=1.15,
    rounds=3,
    take=take,
)
