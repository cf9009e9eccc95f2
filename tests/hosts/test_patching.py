"""Patching a host with a CRM, by hand and by itself at the time that was agreed, in its order; with updates that make the CRM unwell."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from tests.hosts.layers import OLD, Golden
from tests.hosts.publish import PACKAGE
from tests.hosts.world import CRM, World, a_world
from tests.lab.lab import Lab
from tests.support.house import wait_for
from tests.support.operating import now

PUBLISH = Path(__file__).with_name("publish.py").read_text()
ROLLED_BACK = 3
VERSION = f"dpkg-query --show --showformat='${{Version}}' {PACKAGE}"
PROGRAM = f"systemctl show --property=MainPID --value {PACKAGE}"


@pytest.fixture(scope="module")
def world(lab: Lab, golden_crm: Callable[[str], Golden]) -> Iterator[World]:
    """A host that has booted, with its CRM, and a package that has no updates yet."""
    golden = golden_crm("bookworm")
    with lab.lending() as host, a_world(golden.home) as made:
        made.meet(host("bookworm", golden=golden.layers))
        made.serves_again(OLD)
        publish(made, "1.0")
        made.hosts["web1"].run(f"apt-get install --yes --quiet=2 {PACKAGE}")
        yield made


@pytest.fixture(scope="module")
def records(world: World) -> object:
    return world.records()


def publish(world: World, version: str, *more: str) -> None:
    """Let there be an update, for security, and let the host's apt know of it."""
    world.hosts["web1"].run(f"python3 - {version} {' '.join(more)}", input=PUBLISH)


def said(world: World, command: str) -> str:
    return world.hosts["web1"].run(command).stdout.strip()


def newest(world: World, kind: str = "host-patch") -> Operation:
    return world.operation(world.appliance.store.operations.list(kind=kind, limit=1)[0].id)


def detail(operation: Operation, step: str) -> str:
    return str(next(one.detail for one in operation.steps if one.name == step))


def assert_serves_every_record(world: World, records: object) -> None:
    world.serves_again(OLD)
    assert world.records() == records


def test_nothing_new_is_said_and_nothing_is_changed(world: World, records: object) -> None:
    world.done("patch", "--host", "web1")
    looked, *others = newest(world).steps
    assert str(looked.detail).startswith("nothing to do: no security update is pending")
    assert {step.status for step in others} == {StepStatus.SKIPPED}
    assert_serves_every_record(world, records)


def test_a_security_update_is_installed_and_what_uses_it_restarted(world: World, records: object) -> None:
    publish(world, "2.0")
    before, points = said(world, PROGRAM), len(world.appliance.store.points.list(CRM))
    world.done("patch", "--host", "web1")
    assert said(world, VERSION) == "2.0"
    assert said(world, PROGRAM) not in ("0", before)
    assert len(world.appliance.store.points.list(CRM)) == points + 1
    assert f"{PACKAGE} 2.0" in detail(newest(world), "report")
    assert_serves_every_record(world, records)


def test_an_update_that_makes_the_crm_unwell_is_taken_back(world: World, records: object) -> None:
    publish(world, "3.0", "sick")
    ended = world.command("patch", "--host", "web1")
    assert ended.returncode == ROLLED_BACK, ended.stdout[-3000:] + ended.stderr
    assert said(world, VERSION) == "2.0"
    assert "is not healthy" in str(newest(world).cause)
    assert_serves_every_record(world, records)


def test_a_reboot_is_made_when_it_is_needed_and_allowed(world: World, records: object) -> None:
    publish(world, "4.0", "reboot")
    world.done("patch", "--host", "web1")
    assert detail(newest(world), "reboot").startswith("a reboot is needed and was not allowed")
    before = world.hosts["web1"].boot_id
    world.done("patch", "--host", "web1", "--reboot")
    assert world.hosts["web1"].boot_id != before
    assert said(world, VERSION) == "4.0"
    assert_serves_every_record(world, records)


def test_a_power_cut_while_packages_are_installed_loses_nothing(world: World, records: object) -> None:
    publish(world, "5.0")
    operation = world.request("host-patch", "host:web1")
    world.await_step(operation, "install")
    world.hosts["web1"].power_cut()
    world.hosts["web1"].boot()
    ended = world.ended(operation)
    assert ended.status is OperationStatus.SUCCEEDED, f"{ended.cause}\n{world.log_of(operation)[-3000:]}"
    assert said(world, VERSION) == "5.0"
    assert_serves_every_record(world, records)


def test_a_killed_worker_and_carrier_do_no_harm(world: World, records: object) -> None:
    publish(world, "6.0")
    operation = world.request("host-patch", "host:web1")
    world.await_step(operation, "install")
    world.kill_carrier(operation)
    world.kill_worker()
    world.start("worker")
    assert world.ended(operation).status is OperationStatus.SUCCEEDED
    assert said(world, VERSION) == "6.0"
    assert_serves_every_record(world, records)


def test_in_its_window_it_is_patched_by_itself(world: World, records: object) -> None:
    publish(world, "7.0")
    begin = now() + timedelta(minutes=1)
    world.done("schedule", "add", "nightly", "--host", "web1", "--days", "*", "--begin", f"{begin:%H:%M}", "--minutes", "60")
    wait_for(lambda: newest(world).requested_by == "schedule nightly", seconds=120)
    assert world.ended(newest(world).id).status is OperationStatus.SUCCEEDED
    assert said(world, VERSION) == "7.0"
    assert f"operation {newest(world).id}" in " ".join(world.done("schedule", "show", "nightly").split())
    assert_serves_every_record(world, records)


def test_the_fleet_is_patched_canaries_first(world: World, records: object) -> None:
    publish(world, "8.0")
    world.done("patch", "--fleet", "--canary", "host:web1")
    report = detail(newest(world, "fleet-patch"), "report")
    assert report.startswith("host:web1: succeeded")
    assert f"{CRM}: nothing to do" in report
    assert said(world, VERSION) == "8.0"
    assert_serves_every_record(world, records)
