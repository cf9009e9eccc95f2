"""How long an upgrade turns visitors away when the database is large, beside the least that has to happen, and beside the usual way."""

from benchmarks.figure import Measure, Say, Taken
from benchmarks.house import own_appliance
from benchmarks.privilege import require_root
from benchmarks.upgrading import FROM_RELEASE, INSTANCE, TO_RELEASE, bare_seconds, install, upgrade_outage, usual_seconds

DATABASE_MIB = 2048


def take(rounds: int, say: Say) -> Taken:
    """Upgrade an instance; the figures of the last of the rounds, between which it is rolled back."""
    require_root("downtime_large")
    with own_appliance(INSTANCE, say) as house:
        install(house, say, database_mib=DATABASE_MIB)
        for number in range(rounds):
            if number:
                house.carry_out("rollback", {}, say)
            ours, reference, usual = upgrade_outage(house, say), bare_seconds(house, say), usual_seconds(house, say)
            say(f"round {number + 1}: turned away for {ours:.1f} s, bare commands {reference:.1f} s, the usual way {usual:.1f} s")
    note = (
        f"One upgrade of Creme {FROM_RELEASE} to {TO_RELEASE} with {DATABASE_MIB} MiB in its database, watched as for `downtime`. "
        "The usual way (pg_dump, pip install into a new environment, migrate, creme_populate, start) takes "
        f"{usual:.1f} s, {usual / ours:.1f} times as long."
    )
    return Taken(ours=ours, reference=reference, note=note)


MEASURE = Measure(
    name="downtime_large",
    title=f"downtime of an upgrade with a database of {DATABASE_MIB} MiB against the bare commands, without any copy",
    unit="s",
    goal=1.15,
    rounds=1,
    take=take,
)
