"""How long an upgrade turns visitors away, beside the least that has to happen meanwhile."""

from pathlib import Path
from statistics import median

from benchmarks.bare_upgrade import LOGIN_PAGE, Commands
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.house import House, own_appliance
from benchmarks.outage import outage_seconds, watched
from benchmarks.privilege import require_root

INSTANCE = "bench"
PRODUCT, FROM_RELEASE, TO_RELEASE = "creme", "2.7.13", "2.8.6"
SEED = Path(__file__).resolve().parents[2] / "tests" / "support" / "creme_seed.py"
REFERENCE_DATABASE = "crm_reference"
REFERENCE_WEB_PORT = 23799


def take(rounds: int, say: Say) -> Taken:
    """Upgrade one instance, rolled back between rounds; after each upgrade the reference runs on an equal copy of the old database."""
    require_root("downtime")
    ours, reference = [], []
    with own_appliance(INSTANCE, say) as house:
        house.carry_out("install", {"product": PRODUCT, "release": FROM_RELEASE}, say)
        _seed(house, say)
        for number in range(rounds):
            if number:
                house.carry_out("rollback", {}, say)
            ours.append(_upgrade_outage(house, say))
            reference.append(_bare_seconds(house, say))
            say(f"round {number + 1}: turned away for {ours[-1]:.1f} s, bare commands {reference[-1]:.1f} s")
    note = (
        f"Medians of {rounds} upgrades of Creme {FROM_RELEASE} to {TO_RELEASE} with 300 records; the login page asked for every "
        "100 ms through nginx, from the first answer but 200 to the next 200. The reference is migrate, creme_populate and one "
        "restart of gunicorn until it answers, bare, by the same built release on an equal copy of the database."
    )
    return Taken(ours=median(ours), reference=median(reference), note=note)


def _seed(house: House, say: Say) -> None:
    commands = _commands(house, house.instance.deployment.database if house.instance.deployment else "")
    said = commands.feed(SEED)
    if "seeded" not in said:
        raise MeasureFailed(f"The records were not created: {said[-500:]}")
    say(said.splitlines()[-1])


def _upgrade_outage(house: House, say: Say) -> float:
    instance = house.instance
    with watched(instance.address, instance.port, LOGIN_PAGE) as samples:
        house.carry_out("upgrade", {"to": TO_RELEASE, "rehearsal": False}, say)
    return outage_seconds(samples)


def _bare_seconds(house: House, say: Say) -> float:
    """The deployment that the upgrade left is stopped, its database as it was when the upgrade copied it."""
    previous = house.instance.previous
    if previous is None or previous.version != FROM_RELEASE:
        raise MeasureFailed("The upgrade kept no former deployment, so there is no equal database to compare with.")
    commands = _commands(house, REFERENCE_DATABASE)
    with commands.copied(previous.database):
        parts = {name: commands.timed(name) for name in ("migrate --noinput", "creme_populate")}
        parts["restart"] = commands.timed_restart()
    say("bare: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items()))
    return sum(parts.values())


def _commands(house: House, database: str) -> Commands:
    instance, settings = house.instance, house.appliance.settings
    if instance.deployment is None:
        raise MeasureFailed("The instance serves nothing.")
    return Commands(
        instance=instance,
        deployment=instance.deployment,
        database=database,
        socket_directory=settings.postgresql_socket_directory,
        database_port=settings.database_port_base + instance.slot,
        web_port=REFERENCE_WEB_PORT,
    )


MEASURE = Measure(
    name="downtime",
    title=f"visible downtime of Creme {FROM_RELEASE} to {TO_RELEASE} against migrate, creme_populate and one restart",
    unit="s",
    goal=1.5,
    rounds=3,
    take=take,
)
