"""Every change of a CRM on another machine is kept, and comes back when its database is destroyed; one test goes on from the other."""

import time
from collections.abc import Iterator

import pytest

from tests.hosts.stage import a_stage
from tests.hosts.world import CRM, World
from tests.lab.lab import Lab
from tests.support.house import wait_for

OLD = "2.7.13"
UNIT = f"crm-{CRM}-archive.service"
RECEIVED_WITHIN_SECONDS = 1.0
"""The server does not wait for the receiver when it commits; what it committed in its last milliseconds can be lost with its disk."""


@pytest.fixture(scope="module")
def world(lab: Lab, clean: None) -> Iterator[World]:  # noqa: ARG001 - it needs a clean ground
    """A host with a CRM that is full of records, every change of which is kept from now on."""
    with a_stage(lab) as stage:
        made = stage.open(stage.crm(), archive_ship_seconds=2)
        made.serves_again(OLD)
        made.done("archive", CRM)
        yield made


def test_the_receiver_starts_with_the_machine_and_is_confined(world: World) -> None:
    host = world.hosts["web1"]
    assert host.run(f"systemctl is-enabled {UNIT}; systemctl is-active {UNIT}").stdout.split() == ["enabled", "active"]
    told = host.run(f"systemd-analyze security --no-pager {UNIT} | tail -n 1").stdout
    assert float(told.split(":")[1].split()[0]) <= 3.0
    host.power_cut()
    host.boot()
    wait_for(lambda: host.run(f"systemctl is-active {UNIT}", check=False).stdout.strip() == "active", seconds=60)
    world.serves_again(OLD)


def test_a_database_that_was_destroyed_comes_back_with_every_record(world: World) -> None:
    host = world.hosts["web1"]
    world.seed()
    records = world.records()
    time.sleep(RECEIVED_WITHIN_SECONDS)
    host.run(f"pkill -9 -u postgres; rm -rf /var/lib/postgresql/*/{CRM}")
    world.done("restore", CRM, "--at", "latest", "--no-safety-backup", "--yes")
    assert world.records() == records
    world.serves_again(OLD)


def test_what_serves_then_is_kept_too(world: World) -> None:
    def follows() -> bool:
        kept = world.appliance.store.instances.get(CRM)
        newest = world.appliance.store.operations.list(instance=CRM, limit=1)[0]
        return bool(kept.archive and kept.deployment and kept.archive.deployment == kept.deployment.id and newest.status.is_final)

    wait_for(follows, seconds=180)
    assert world.appliance.store.operations.list(instance=CRM, limit=1)[0].status == "succeeded"
    world.done("backup", CRM)
    said = world.done("drill", CRM, "--way", "log")
    assert "proven; back in service after" in " ".join(said.split())
