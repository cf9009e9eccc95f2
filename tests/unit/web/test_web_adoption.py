"""How much people work with a CRM, for people and for programs."""

from datetime import timedelta
from typing import Any

import pytest

from appliance.domain.adoption import answered, unanswered
from monitoring.ledger import State
from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Alert, Change, Stand
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import NOON, Browser, PanelWorld

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def used(world: PanelWorld) -> None:
    write_states(world.appliance.settings.ledger_file, "sales", each_quarter_minute(NOON, State.UP, State.UP))
    day = (NOON - timedelta(days=9)).date().isoformat()
    rows: dict[str, list[list[Any]]] = {
        "records": [[1200]],
        "untouched": [[799]],
        "newest_change": [[NOON.isoformat()]],
        "active_users": [[day, "Field sales", 3], [NOON.date().isoformat(), HOSTILE, 1]],
    }
    world.appliance.store.adoption.put(answered("sales", rows, before=None, now=NOON))


def stop_working(world: PanelWorld) -> None:
    labels = (("crm", "sales"), ("department", "Field sales"))
    alert = Alert(rule="DepartmentStoppedUpdating", labels=labels, stand=Stand.FIRING, since_ms=0, since=NOON.timestamp(), value=1)
    memory = RuleMemory(world.appliance.settings.ledger_file)
    memory.write([alert], [Change(alert=alert, fires=True)], at=NOON.timestamp())
    memory.close()


def test_a_department_that_stopped_is_seen_at_once(world: PanelWorld, victor: Browser) -> None:
    assert "Stopped" not in victor.get("/monitoring").text
    stop_working(world)
    page = victor.get("/monitoring").text
    assert "<strong>1,200</strong> records, 66 % of them untouched" in page
    assert "2026-02-21: 3 active" in page
    assert page.count("Stopped</span>") == 1
    assert HOSTILE not in page
    assert "Field sales has stopped updating sales." in victor.get("/").text


def test_that_nobody_answers_is_said_with_what_was_known(world: PanelWorld, victor: Browser) -> None:
    store = world.appliance.store
    store.adoption.put(unanswered("sales", "The database did not answer: no way.", before=store.adoption.find("sales"), now=NOON))
    page = victor.get("/monitoring").text
    assert "The database did not answer: no way." in page
    assert "1,200" in page


def test_an_administrator_switches_it_off_and_nobody_else(world: PanelWorld, alice: Browser, oscar: Browser) -> None:
    assert oscar.post("/instances/sales/adoption", {"wanted": ""}).status_code == 403
    assert "Measure no longer" in alice.get("/instances/sales").text
    assert alice.post("/instances/sales/adoption", {"wanted": ""}).status_code == 303
    assert world.appliance.store.instances.get("sales").measures_adoption is False
    assert "Nobody is told when people stop" in alice.get("/instances/sales").text


def test_programs_ask_and_switch_too(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    told = program.get("/api/v1/instances/sales/adoption").json()["adoption"]
    assert (told["records"], told["untouched_ratio"], told["days"]["2026-02-21"]) == (1200, 799 / 1200, {"Field sales": 3})
    assert program.post("/api/v1/instances/sales/adoption", json={"wanted": False}).status_code == 204
    assert program.get("/api/v1/instances/sales").json()["measures_adoption"] is False
    world.appliance.store.adoption.keep_only(set())
    assert program.get("/api/v1/instances/sales/adoption").json() == {"measured": False, "adoption": None}
    assert program.get("/api/v1/instances/nosuch/adoption").status_code == 404
