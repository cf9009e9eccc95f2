"""What measures of an upgrade share: an instance with records, and with as large a database as is wanted; upgrades of it, watched."""

from pathlib import Path

from appliance.domain.instance import Deployment
from appliance.operations.machines import layout_on
from appliance.operations.variables import database_spec
from benchmarks.bare_upgrade import LOGIN_PAGE, Commands
from benchmarks.figure import MeasureFailed, Say
from benchmarks.house import House
from benchmarks.outage import outage_seconds, watched

INSTANCE = "bench"
PRODUCT, FROM_RELEASE, TO_RELEASE = "creme", "2.7.13", "2.8.6"
SEED = Path(__file__).resolve().parents[1] / "tests" / "support" / "creme_seed.py"
REFERENCE_DATABASE = "crm_reference"
REFERENCE_WEB_PORT = 23799
MIB = 1024**2
FILLER = """
create table benchmark_filler as
  select number, repeat(md5(random()::text), 31) as filling from generate_series(1, {mib} * 1024) as number
"""
"""A kibibyte a row that no migration touches, as most of a large database is in an upgrade."""


def install(house: House, say: Say, *, database_mib: int = 0) -> None:
    """A CRM with 300 records, and with so much more in its database."""
    house.carry_out("install", {"product": PRODUCT, "release": FROM_RELEASE}, say)
    serving = house.instance.deployment
    assert serving is not None  # noqa: S101 - it was installed
    commands = commands_of(house, serving.database, beside=serving)
    said = commands.feed(SEED)
    if "seeded" not in said:
        raise MeasureFailed(f"The records were not created: {said[-500:]}")
    say(said.splitlines()[-1])
    if database_mib:
        commands.sql(FILLER.format(mib=database_mib), database=commands.database)
        say(f"{commands.size_bytes() / MIB:.0f} MiB in its database")


def upgrade_outage(house: House, say: Say) -> float:
    """Seconds for which visitors were turned away by an upgrade."""
    instance = house.instance
    with watched(instance.address, instance.port, LOGIN_PAGE) as samples:
        house.carry_out("upgrade", {"to": TO_RELEASE, "rehearsal": False}, say)
    return outage_seconds(samples)


def bare_seconds(house: House, say: Say) -> float:
    """The deployment that the upgrade left is stopped, its database as it was when the upgrade copied it."""
    left = _left(house)
    commands = commands_of(house, REFERENCE_DATABASE, beside=left)
    with commands.copied(left.database):
        parts = {name: commands.timed(name) for name in ("migrate --noinput", "creme_populate")}
        parts["restart"] = commands.timed_restart()
    say("bare: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items()))
    return sum(parts.values())


def usual_seconds(house: House, say: Say) -> float:
    """The same upgrade as manuals tell it: stopped, dumped, packages installed, migrated, started; visitors are away all the time."""
    left, serving = _left(house), house.instance.deployment
    assert serving is not None  # noqa: S101 - it was upgraded
    commands = commands_of(house, REFERENCE_DATABASE, beside=left)
    with commands.copied(left.database):
        parts = {"dump": commands.timed_dump(left.database), "packages": commands.timed_packages(house.appliance.catalogue.get(PRODUCT))}
        parts |= {name: commands.timed(name) for name in ("migrate --noinput", "creme_populate")}
        parts["restart"] = commands.timed_restart()
    say("the usual way: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in parts.items()))
    return sum(parts.values())


def commands_of(house: House, database: str, *, beside: Deployment) -> Commands:
    """The CRM's own commands, on a database in the cluster of a deployment. Raises MeasureFailed."""
    instance = house.instance
    reached = database_spec(layout_on(house.appliance, instance.host), instance, beside)
    if instance.deployment is None:
        raise MeasureFailed("The instance serves nothing.")
    return Commands(
        instance=instance,
        deployment=instance.deployment,
        database=database,
        socket_directory=Path(reached["socket_directory"]),
        database_port=int(reached["port"]),
        web_port=REFERENCE_WEB_PORT,
    )


def _left(house: House) -> Deployment:
    previous = house.instance.previous
    if previous is None or previous.version != FROM_RELEASE:
        raise MeasureFailed("The upgrade kept no former deployment, so there is no equal database to compare with.")
    return previous
