"""What is not told beside something worse, and what is told of it afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.operations.messages import message_of
from monitoring.ledger import State
from monitoring.rules.lesser import LESSER
from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Stand
from monitoring.rules.table import MACHINES, RECOVERY, RULES
from monitoring.schema import connect
from monitoring.targets import Target
from tests.unit.test_alert_evaluation import World, back_up

FAR = Target.model_validate(
    {
        "crm": "demo",
        "product": "sample",
        "release": "1",
        "host": "web1",
        "probes": {"live": {"kind": "http", "url": "http://127.0.0.1/"}},
        "through": ["ssh"],
    }
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "ledger.sqlite")
    made.status.targets = (FAR,)
    made.evaluation.rules = (*made.evaluation.rules, *[rule for rule in MACHINES if rule.name == "HostUnreachable"])
    made.status.host_answers["web1"] = True
    back_up(made)
    yield made
    made.close()


def told_of(world: World) -> list[tuple[str, bool]]:
    return [change for change in world.changes() if change[0] != "DrillOverdue"]


def test_of_a_host_that_is_away_one_alert_is_told_and_its_crm_is_shown_as_down(world: World) -> None:
    world.spend(3600)
    world.status.host_answers["web1"] = False
    world.spend(900, State.DOWN)
    assert told_of(world) == [("HostUnreachable", True)]
    untold = {alert.rule: alert.untold for alert in world.memory.alerts() if alert.stand is Stand.FIRING}
    assert untold["CrmDown"] == untold["AvailabilityBurnsFast"] == "HostUnreachable"
    world.status.host_answers["web1"] = True
    world.spend(3600)
    assert {("HostUnreachable", False), ("AvailabilityBurnsFast", True)} <= set(told_of(world))
    assert "CrmDown" not in {rule for rule, _ in told_of(world)}


def test_a_crm_that_is_still_down_when_its_host_is_back_is_told_then_and_only_once(world: World) -> None:
    world.spend(600)
    world.status.host_answers["web1"] = False
    world.spend(600, State.DOWN)
    world.close()
    world.open()
    world.evaluation.rules = (*world.evaluation.rules, *[rule for rule in MACHINES if rule.name == "HostUnreachable"])
    world.status.host_answers["web1"] = True
    world.spend(300, State.DOWN)
    world.status.host_answers["web1"] = False
    world.spend(300, State.DOWN)
    world.status.host_answers["web1"] = True
    world.spend(300)
    assert [change for change in told_of(world) if change[0] == "CrmDown"] == [("CrmDown", True), ("CrmDown", False)]


def test_beside_a_crm_that_is_down_its_error_budget_is_told_only_if_it_burns_on(world: World) -> None:
    world.spend(3600)
    world.spend(600, State.DOWN)
    assert told_of(world) == [("CrmDown", True)]
    world.spend(60)
    assert ("AvailabilityBurnsFast", True) in told_of(world)


def test_what_is_about_bringing_a_crm_back_is_told_whatever_else_is(world: World) -> None:
    world.spend(600)
    world.status.host_answers["web1"] = False
    world.ledger.record_event(kind="backup", crm="demo", result="failed", at=world.now.wall, duration_seconds=1)
    world.spend(300, State.DOWN)
    assert set(told_of(world)) == {("HostUnreachable", True), ("BackupFailed", True)}
    assert not {rule for lesser in LESSER for rule in lesser.rules} & {rule.name for rule in RECOVERY}


def test_every_name_is_that_of_a_rule_and_what_is_worse_is_no_milder() -> None:
    severities = {rule.name: rule.severity for rule in RULES}
    for lesser in LESSER:
        assert severities[lesser.worse] == "critical"
        assert set(lesser.rules) <= severities.keys()


def test_a_ledger_of_the_version_before_keeps_its_alerts_and_does_not_tell_them_again(world: World) -> None:
    world.spend(600)
    world.spend(300, State.DOWN)
    world.close()
    connection = connect(world.file)
    connection.execute("ALTER TABLE alerts DROP COLUMN untold")
    connection.execute("DROP TABLE latencies")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    world.open()
    world.spend(300, State.DOWN)
    assert world.changes().count(("CrmDown", True)) == 1
    memory = RuleMemory(world.file)
    assert message_of(memory.changes(after=0)).title == "[critical] demo is down"
    memory.close()
