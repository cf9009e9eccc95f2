"""Which database cluster a deployment gets, and how it is called and reached."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.config import Settings
from appliance.domain.host import Host
from appliance.domain.instance import Deployment, Instance, InstanceState
from appliance.domain.product_releases import Release
from appliance.hosts.layout import layout_of
from appliance.operations.variables import crm_variables, database_spec, new_deployment, source_variables

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LAYOUT = layout_of(Settings(), Host(name="web1", address="192.0.2.7", created_at=NOW))


def deployment(number: int, *, cluster: int) -> Deployment:
    root = f"/srv/crm/big-sales/{number}"
    return Deployment(
        id=f"000{number}-{number}",
        version="1.0",
        series="1",
        build="1",
        directory=root,
        release_directory=root,
        files=f"{root}/files",
        database=f"crm_{number}",
        port=20000 + number,
        cluster=cluster,
    )


def instance(serving: Deployment | None, previous: Deployment | None = None) -> Instance:
    return Instance(
        name="big-sales",
        product="demo",
        release="1.0",
        series="1",
        state=InstanceState.ACTIVE,
        slot=7,
        address="192.0.2.7",
        port=443,
        domain="crm.example.org",
        created_at=NOW,
        deployment=serving,
        previous=previous,
    )


def made(kept: Instance, *, follows: bool, apart: bool = False) -> Deployment:
    release = Release(version="2.0", series="2", package="demo==2.0", lock="2.0.txt")
    return new_deployment(LAYOUT, kept, release, "1", operation_id=9, follows=follows, apart=apart)


@pytest.mark.parametrize(("serving", "previous", "chosen"), [(0, None, 1), (1, 0, 2), (2, 1, 0), (0, 1, 2), (1, 1, 0)])
def test_an_upgrade_takes_a_cluster_that_no_kept_deployment_is_in_and_the_same_files(
    serving: int, previous: int | None, chosen: int
) -> None:
    current = deployment(2, cluster=serving)
    kept = instance(current, None if previous is None else deployment(1, cluster=previous))
    wanted = made(kept, follows=True)
    assert (wanted.cluster, wanted.files) == (chosen, current.files)


def test_what_does_not_follow_stays_in_the_cluster_that_serves_with_files_of_its_own() -> None:
    current = deployment(2, cluster=1)
    wanted = made(instance(current), follows=False)
    assert (wanted.cluster, wanted.files) == (1, "/srv/crm/big-sales/files/0003-9")
    assert made(instance(None), follows=False).cluster == 0


def test_what_is_recovered_from_its_log_has_a_cluster_and_files_of_its_own() -> None:
    wanted = made(instance(deployment(2, cluster=1)), follows=False, apart=True)
    assert (wanted.cluster, wanted.files) == (0, "/srv/crm/big-sales/files/0003-9")
    assert made(instance(None), follows=False, apart=True).cluster == 1  # the first is made with the instance


def test_each_cluster_has_a_name_a_port_a_service_and_a_state_of_its_own() -> None:
    told = crm_variables(LAYOUT, instance(None), cluster=1)
    first, second, third = told["clusters"]
    assert {key: told[key] for key in second} == second
    assert first == {
        "cluster": "big_sales",
        "cluster_service": "crm-big-sales-postgresql",
        "cluster_state": "/srv/crm/big-sales/cluster.state",
        "database_port": 5507,
    }
    assert (second["cluster"], second["database_port"]) == ("big_sales__1", 6507)
    assert len({str(value) for cluster in (first, second, third) for value in cluster.values()}) == 3 * len(first)


def test_a_database_is_reached_where_its_deployment_is() -> None:
    there = replace(deployment(2, cluster=2), database="crm_0002_9")
    found: dict[str, Any] = database_spec(LAYOUT, instance(there), there)
    assert (found["port"], found["name"]) == (7507, "crm_0002_9")
    assert source_variables(LAYOUT, instance(there), there)["database_port"] == 7507
