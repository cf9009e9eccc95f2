"""A real CRM that is two series behind: one upgrade leads over the series between, or back before the first hop."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import NEW, OLD
from tests.support.house import House
from tests.support.killing import failing_in

NAME, OLDEST = "trial-hops", "2.6.23"


@pytest.fixture(scope="module")
def old_crm(house: House) -> Iterator[House]:
    """Creme CRM of the series before the last, with three hundred records."""
    house.done("install", "creme", "--name", NAME, "--release", OLDEST)
    house.seed(NAME)
    yield house
    house.done("instance", "remove", NAME, "--yes", "--no-final-backup")


def kept_of(house: House) -> tuple[str, list[str], list[str]]:
    """What serves, and what there is of deployments and databases."""
    kept = house.appliance.store.instances.get(NAME)
    assert kept.deployment is not None
    directory = house.settings.crm_root / NAME / "deployments"
    port = house.settings.database_port_base + kept.slot
    reach = ["-h", str(house.settings.postgresql_socket_directory), "-p", str(port), "-U", "postgres", "-d", "postgres"]
    argv = ["psql", "-AtXc", r"select datname from pg_database where datname like 'crm\_%'", *reach]
    databases = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return kept.release, sorted(path.name for path in directory.iterdir()), sorted(databases.split())


def test_a_failure_after_two_hops_ends_before_the_first(old_crm: House) -> None:
    before, records = kept_of(old_crm), old_crm.records(NAME)
    with old_crm.own_worker_stopped(), failing_in(old_crm, "verify"):
        ended = old_crm.command("upgrade", NAME, "--to", NEW, "--no-rehearsal")
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    assert f"{OLDEST} to {OLD} to {NEW}" in ended.stdout
    assert kept_of(old_crm) == before
    assert old_crm.records(NAME) == records


def test_one_upgrade_leads_over_the_series_between_with_every_record(old_crm: House) -> None:
    records = old_crm.records(NAME)
    old_crm.done("upgrade", NAME, "--to", NEW, "--no-rehearsal")
    release, deployments, databases = kept_of(old_crm)
    assert (release, len(deployments), len(databases)) == (NEW, 2, 2), (
        "the oldest is kept as the way back, and nothing of the release between"
    )
    assert old_crm.records(NAME) == records
