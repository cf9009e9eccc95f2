"""A real CRM that is a patch and two series behind: a patch stays in its series, one upgrade leads over the series between, or back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.operations.machines import layout_on
from appliance.operations.variables import crm_variables
from tests.conftest import NEW, OLD
from tests.support.house import House
from tests.support.killing import failing_in

NAME, UNPATCHED, OLDEST = "trial-hops", "2.6.22", "2.6.23"


@pytest.fixture(scope="module")
def old_crm(house: House) -> Iterator[House]:
    """Creme CRM of the series before the last, with three hundred records."""
    house.done("install", "creme", "--name", NAME, "--release", UNPATCHED)
    house.seed(NAME)
    yield house
    house.done("instance", "remove", NAME, "--yes", "--no-final-backup")


def kept_of(house: House) -> tuple[str, list[str], list[str]]:
    """What serves, and what there is of deployments and databases."""
    kept = house.appliance.store.instances.get(NAME)
    assert kept.deployment is not None
    directory = house.settings.crm_root / NAME / "deployments"
    clusters = crm_variables(layout_on(house.appliance, kept.host), kept)["clusters"]
    there = [cluster for cluster in clusters if Path(cluster["cluster_state"]).exists()]
    assert {cluster["cluster"] for cluster in there} == {kept.cluster(deployment.cluster) for deployment in kept.kept}
    databases = [name for cluster in there for name in databases_of(house, cluster["database_port"])]
    return kept.release, sorted(path.name for path in directory.iterdir()), sorted(databases)


def databases_of(house: House, port: int) -> list[str]:
    """The CRM's databases in one cluster."""
    reach = ["-h", str(house.settings.postgresql_socket_directory), "-p", str(port), "-U", "postgres", "-d", "postgres"]
    argv = ["psql", "-AtXc", r"select datname from pg_database where datname like 'crm\_%'", *reach]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def test_a_patch_goes_to_the_newest_release_of_the_series_with_every_record(old_crm: House) -> None:
    records = old_crm.records(NAME)
    assert "patch" in old_crm.done("patch", NAME)
    newest = old_crm.appliance.store.operations.list(kind="patch", limit=1)[0]
    assert f"{UNPATCHED} to {OLDEST}; visitors saw the maintenance page for" in str(newest.steps[-1].detail)
    assert (old_crm.appliance.store.instances.get(NAME).release, old_crm.records(NAME)) == (OLDEST, records)
    assert "nothing to do" in " ".join(old_crm.done("patch", NAME).split())


def test_a_failure_after_two_hops_ends_before_the_first(old_crm: House) -> None:
    before, records = kept_of(old_crm), old_crm.records(NAME)
    with old_crm.own_worker_stopped(), failing_in(old_crm, "verify"):
        ended = old_crm.command("upgrade", NAME, "--to", NEW, "--no-rehearsal")
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    assert f"{OLDEST} to {OLD} to {NEW}" in ended.stdout
    assert kept_of(old_crm) == before
    assert old_crm.records(NAME) == records


def test_a_failure_after_people_were_let_in_keeps_what_they_wrote_and_nothing_of_the_release_between(old_crm: House) -> None:
    records = old_crm.records(NAME)
    with old_crm.own_worker_stopped(), failing_in(old_crm, "watch"):
        ended = old_crm.command("upgrade", NAME, "--to", NEW, "--no-rehearsal")
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    release, deployments, databases = kept_of(old_crm)
    assert (release, len(deployments), len(databases)) == (OLDEST, 2, 2), "what serves, and what they wrote into"
    assert old_crm.records(NAME) == records


def test_one_upgrade_leads_over_the_series_between_with_every_record(old_crm: House) -> None:
    records = old_crm.records(NAME)
    old_crm.done("upgrade", NAME, "--to", NEW, "--no-rehearsal")
    release, deployments, databases = kept_of(old_crm)
    assert (release, len(deployments), len(databases)) == (NEW, 2, 2), (
        "the oldest is kept as the way back, and nothing of the release between"
    )
    assert old_crm.records(NAME) == records
