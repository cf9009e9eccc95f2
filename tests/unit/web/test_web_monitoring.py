"""What pages say of uptime over time."""

from datetime import timedelta

import pytest

from appliance.domain.measures import percent
from appliance.web.uptimes import budget_told
from monitoring.ledger import State, Uptime
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import NOON, Browser, PanelWorld

HOSTILE = "<script>alert(1)</script>"


def see(world: PanelWorld, *states: State, ended: timedelta = timedelta()) -> None:
    write_states(world.appliance.settings.ledger_file, "sales", each_quarter_minute(NOON - ended, *states), reason=HOSTILE)


@pytest.mark.parametrize(
    ("ratio", "said"), [(None, "–"), (1.0, "100 %"), (0.0, "0 %"), (0.999996, "99.999 %"), (0.9995, "99.950 %"), (1e-9, "0.000 %")]
)
def test_a_share_is_never_rounded_up(ratio: float | None, said: str) -> None:
    assert percent(ratio) == said


def test_uptime_outages_and_what_nobody_saw_are_shown(world: PanelWorld, victor: Browser) -> None:
    see(world, State.UP, State.UP, State.UP, State.UP, State.DOWN, State.DOWN, State.UP, ended=timedelta(hours=1))
    page = victor.get("/monitoring").text
    assert "66.666 %" in page  # 60 s up and 30 s down, of what was seen
    assert "2026-03-02: 66.666 % up, down for 30 s, nobody looked for 1 h 0 min" in page
    assert page.count("<rect ") == 90
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("up", "down", "promised", "said"),
    [
        (9990.0, 10.0, 0.995, "99.5 % of 30 days promised: 80 % of the error budget left"),
        (9989.9, 10.1, 0.995, "99.5 % of 30 days promised: 79 % of the error budget left"),
        (9990.0, 10.0, 0.9995, "99.95 % of 30 days promised: the error budget is overdrawn by 100 %"),
        (0.0, 0.0, 0.995, "99.5 % promised; nothing was seen yet"),
    ],
)
def test_what_is_left_of_the_error_budget_is_said_and_never_rounded_up(up: float, down: float, promised: float, said: str) -> None:
    spent = Uptime(up_seconds=up, degraded_seconds=0, down_seconds=down, maintenance_seconds=50, unknown_seconds=50)
    assert budget_told(spent, promised) == said


def test_the_page_tells_the_error_budget_by_what_was_promised(world: PanelWorld, alice: Browser) -> None:
    see(world, State.UP, State.UP, State.UP, State.UP, State.DOWN, State.DOWN, State.UP)
    assert "99.5 % of 30 days promised: the error budget is overdrawn" in alice.get("/monitoring").text
    assert alice.post("/instances/sales/objectives", {"availability": "50"}).status_code == 303
    assert "50 % of 30 days promised: 33 % of the error budget left" in alice.get("/monitoring").text


def test_percentiles_of_the_probes_are_shown_with_what_was_promised(world: PanelWorld, victor: Browser) -> None:
    see(world, State.UP, State.UP)
    assert "95th percentile" not in victor.get("/monitoring").text
    slow = [(NOON - timedelta(days=1) + timedelta(minutes=number), "ready", 0.25 if number else 2.5) for number in range(10)]
    write_states(world.appliance.settings.ledger_file, "sales", [], checks=[*slow, (NOON, "deep", 11.0)])
    page = victor.get("/monitoring").text
    assert "<td>256 ms</td><td>2.5 s</td><td>2.9 s</td>" in page.replace("\n", "")
    assert "over 10 s" in page
    assert "2026-03-01: 2.5 s" in page
    assert "95 % of the probes within 2 s promised: 81.818 % of 30 days were, the error budget is overdrawn by 264 %" in page


def test_an_outage_that_lasts_is_told_on_the_page_of_its_crm(world: PanelWorld, victor: Browser) -> None:
    see(world, State.UP, State.DOWN, State.DOWN)
    page = victor.get("/instances/sales/outages").text
    assert "Lasts" in page
    assert "by live" in page


def test_without_a_ledger_or_a_crm_it_is_said(world: PanelWorld, victor: Browser) -> None:
    assert "The monitor has seen nothing yet" in victor.get("/monitoring").text
    assert "The monitor has seen nothing yet" in victor.get("/instances/sales/outages").text
    world.appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    world.appliance.settings.ledger_file.write_bytes(b"no ledger" * 999)
    assert "The monitor has seen nothing yet" in victor.get("/monitoring").text
    world.appliance.store.instances.remove("sales")
    assert "There is no CRM yet" in victor.get("/monitoring").text
    assert victor.get("/instances/nosuch/outages").status_code == 404
