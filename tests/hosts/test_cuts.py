"""Reboots, power cuts and broken networks while something is at work: the CRM answers again by itself, and no record is lost.

Moments are drawn by chance, from a seed that makes them repeatable.
"""

import random
import time
from typing import Any

import pytest

from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.workflows import WORKFLOWS
from tests.hosts.fixtures import Played
from tests.hosts.layers import NEW, OLD, Golden
from tests.hosts.stage import Scenario, Stage, told
from tests.hosts.world import CRM, DOMAIN, World, assert_no_connection_is_left

LATEST_SECONDS = 4.0
"""A cut comes at most so long after a step has begun."""
OFF_SECONDS = 1.0
CUT_SECONDS = 20.0
SEEDED = {"contacts": 100, "organisations": 100, "opportunities": 100}
"""What `creme_seed.py` writes beyond the basic data that an installation brings."""
CALM = (OperationStatus.SUCCEEDED, OperationStatus.ROLLED_BACK, OperationStatus.FAILED)


def drawn(kind: str, seed: int) -> tuple[str, float]:
    """A step of an operation, and a moment in it."""
    chance = random.Random(f"{kind} {seed}")  # noqa: S311 - a seed makes the moments repeatable
    return chance.choice([step.name for step in WORKFLOWS[kind].steps]), chance.uniform(0, LATEST_SECONDS)


def await_moment(world: World, operation: int, step: str, seconds: float) -> None:
    """Wait until a step has begun and for the moment in it; it may be over by then, and so may be the operation."""
    world.await_step(operation, step)
    time.sleep(seconds)


def assert_nothing_is_lost(world: World, golden: Golden, ended: Operation) -> None:
    """The CRM serves the release that the operation's end tells, with every record, and can be backed up."""
    assert ended.status in CALM, f"{ended.status}: {ended.cause}; {ended.next_action}\n{world.log_of(ended.id)[-4000:]}"
    upgraded = ended.kind == "upgrade" and ended.status == OperationStatus.SUCCEEDED
    world.serves_again(NEW if upgraded else OLD)
    assert world.records() == golden.known["records"]
    world.done("backup", CRM)
    assert world.appliance.store.points.list(CRM)[0].record["counts"] == golden.known["records"]["counts"]
    assert_no_connection_is_left(world)


def serving(stage: Stage, golden: Golden, **settings: Any) -> World:
    """An appliance whose host has booted, with its CRM: an operation that is requested before it serves is refused."""
    world = stage.open(golden, **settings)
    world.serves_again(OLD)
    return world


def power_cut(world: World) -> None:
    """Off at once, and on again a moment later."""
    host = world.hosts["web1"]
    host.power_cut()
    time.sleep(OFF_SECONDS)
    host.boot()


def in_an_upgrade(stage: Stage, release: str, seed: int) -> None:
    golden = stage.crm(release)
    world = serving(stage, golden)
    operation = world.request("upgrade", CRM, to=NEW)
    await_moment(world, operation, *drawn("upgrade", seed))
    power_cut(world)
    assert_nothing_is_lost(world, golden, world.ended(operation))


def a_power_cut_in_an_upgrade(stage: Stage) -> None:
    in_an_upgrade(stage, "bookworm", 1)


def another_power_cut_in_an_upgrade(stage: Stage) -> None:
    in_an_upgrade(stage, "bookworm", 2)


def a_power_cut_in_an_upgrade_on_trixie(stage: Stage) -> None:
    in_an_upgrade(stage, "trixie", 3)


def a_power_cut_in_a_backup(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden)
    operation = world.request("backup", CRM)
    world.await_step(operation, "backup")
    time.sleep(random.Random(4).uniform(0, 2))  # noqa: S311 - as above
    power_cut(world)
    ended = world.ended(operation)
    assert ended.status == OperationStatus.SUCCEEDED, ended.cause
    assert_nothing_is_lost(world, golden, ended)


def a_power_cut_in_an_install(stage: Stage) -> None:
    world = stage.open(stage.prepared())
    operation = world.request("install", CRM, product="creme", host="web1", release=OLD, domain=DOMAIN)
    await_moment(world, operation, *drawn("install", 5))
    power_cut(world)
    ended = world.ended(operation)
    assert (ended.status, ended.cause) == (OperationStatus.SUCCEEDED, None), world.log_of(operation)[-4000:]
    world.serves_again(OLD)
    counts = stage.crm().known["records"]["counts"]
    assert world.records()["counts"] == {kind: count - SEEDED[kind] for kind, count in counts.items()}, "the basic data are not whole"


def a_reboot_in_an_upgrade(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden)
    operation = world.request("upgrade", CRM, to=NEW, rehearsal=False)
    await_moment(world, operation, "migrate", 2)
    world.hosts["web1"].reboot()
    assert_nothing_is_lost(world, golden, world.ended(operation))


def a_network_that_is_cut_for_a_while_in_an_upgrade(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden)
    operation = world.request("upgrade", CRM, to=NEW, rehearsal=False)
    await_moment(world, operation, "migrate", 2)
    world.hosts["web1"].cut_network()
    time.sleep(CUT_SECONDS)
    world.hosts["web1"].mend_network()
    ended = world.ended(operation)
    assert ended.status == OperationStatus.SUCCEEDED, ended.cause
    assert_nothing_is_lost(world, golden, ended)


def the_worker_killed_together_with_a_power_cut_in_an_upgrade(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden)
    operation = world.request("upgrade", CRM, to=NEW, rehearsal=False)
    await_moment(world, operation, *drawn("upgrade", 6))
    world.kill_carrier(operation)
    world.kill_worker()
    power_cut(world)
    world.start("worker")
    assert_nothing_is_lost(world, golden, world.ended(operation))


def a_host_that_stays_dead_in_an_upgrade_beside_one_that_lives(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden, host_patience_seconds=90)
    world.add(stage.host(stage.prepared("trixie")), "web2")
    upgrade = world.request("upgrade", CRM, to=NEW, rehearsal=False)
    world.await_step(upgrade, "maintenance")
    world.hosts["web1"].power_cut()
    world.done("host", "prepare", "web2")
    assert world.operation(upgrade).status == OperationStatus.RUNNING, "web2 was to be served while web1 was awaited"
    ended = world.ended(upgrade)
    assert ended.status == OperationStatus.NEEDS_ATTENTION, ended.cause
    assert "The host web1 cannot be reached" in f"{ended.cause}"
    assert f"appliance operation retry {upgrade}" in f"{ended.next_action}"
    world.hosts["web1"].boot()
    world.command("operation", "retry", str(upgrade))
    assert_nothing_is_lost(world, golden, world.ended(upgrade))


def a_host_that_is_dead_when_a_backup_is_requested(stage: Stage) -> None:
    golden = stage.crm()
    world = serving(stage, golden, host_patience_seconds=10)
    points = [point.id for point in world.appliance.store.points.list(CRM)]
    world.hosts["web1"].power_cut()
    ended = world.command("backup", CRM)
    said = " ".join((ended.stdout + ended.stderr).split())
    assert (ended.returncode, "The host web1 cannot be reached" in said) == (1, True), said
    assert [point.id for point in world.appliance.store.points.list(CRM)] == points
    world.hosts["web1"].boot()
    world.serves_again(OLD)
    assert world.records() == golden.known["records"]


SCENARIOS: tuple[Scenario, ...] = (
    a_host_that_stays_dead_in_an_upgrade_beside_one_that_lives,
    a_power_cut_in_an_install,
    a_network_that_is_cut_for_a_while_in_an_upgrade,
    a_power_cut_in_an_upgrade,
    another_power_cut_in_an_upgrade,
    a_power_cut_in_an_upgrade_on_trixie,
    the_worker_killed_together_with_a_power_cut_in_an_upgrade,
    a_reboot_in_an_upgrade,
    a_power_cut_in_a_backup,
    a_host_that_is_dead_when_a_backup_is_requested,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_crm_answers_again_by_itself_and_no_record_is_lost_after(scenario: Scenario, played: Played) -> None:
    failure = played[scenario].exception()
    assert failure is None, told(failure)
