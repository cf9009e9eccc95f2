"""The page of the appliance itself: states are those of the store, settings those in force, and no secret is among them."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.config import Settings
from appliance.domain.channel import Channel, Purpose
from appliance.domain.own_upgrade import OwnUpgrade
from appliance.domain.repository import Repository
from appliance.production.intent import Intent
from appliance.production.last_upgrade import last_upgrade
from appliance.production.places import Places
from appliance.web.own_state import groups_of
from tests.support.web_world import NOON, Browser, PanelWorld

OFFSITE = Repository(
    name="offsite",
    location="rest:https://nas.example.org:8000/crm/",
    created_at=NOON,
    works=True,
    state_kept_at=NOON - timedelta(hours=3),
    kit_proven_at=NOON - timedelta(days=2),
)


def lines(world: PanelWorld) -> dict[str, tuple[str, str, str]]:
    """What each line says, its word and its colour."""
    groups = groups_of(world.app.state.panel)
    return {line.title: (line.text, line.word, line.tone) for group in groups for line in group.lines}


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_an_appliance_that_is_bare_says_what_is_missing(world: PanelWorld) -> None:
    told = lines(world)
    assert told["Notifications"] == ("Nobody is told when something breaks", "None", "orange")
    assert told["Repositories elsewhere"][1:] == ("None", "orange")
    assert told["Second factor"] == ("Nobody has to have one", "1 administrator has none", "orange")
    assert told["Recovery kit"] == ("Nobody has taken it yet: print it, and keep it elsewhere", "Unproven", "orange")
    assert told["Login provider"][0] == "None; by password"


def test_states_are_those_of_the_store(world: PanelWorld) -> None:
    store = world.appliance.store
    store.repositories.add(OFFSITE, by="Alice")
    store.channels.add(
        Channel(name="desk", purpose=Purpose.ALERTS, service="Mail", created_at=NOON, told={}),
        by="Alice",
    )
    store.vault.put("channel:desk", "url", "mailtos://x:geheim@example.org")
    store.access.audit(actor="Alice", action="show recovery kit", subject="appliance", detail={}, now=NOON - timedelta(days=5))
    store.second_factors.turn_on("Alice", secret="A" * 32, step=0, codes=["x"], now=NOON)
    told = lines(world)
    assert told["offsite"] == ("rest:https://nas.example.org:8000/crm/ · this appliance's state kept 3 hours ago", "works", "green")
    assert told["Recovery kit"] == ("taken 5 days ago", "proven 2 days ago", "green")
    assert told["desk"] == ("Mail · not used yet", "not used yet", "secondary")
    assert told["Second factor"][1:] == ("Every administrator has one", "green")
    page = world.browser_of("Alice").get("/settings").text
    assert "geheim" not in page


def test_it_says_how_to_upgrade_and_has_no_button_that_does_not(alice: Browser) -> None:
    page = alice.get("/settings").text
    assert "bin/up of the new one" in text_of(page)
    assert set(re.findall(r'action="([^"]+)"', page)) <= {"/theme", "/language", "/logout", "/find"}


def test_every_setting_is_there_with_its_value_and_where_it_was_set(
    world: PanelWorld, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLIANCE_LOG", str(world.appliance.settings.log))
    rows = rows_of(alice.get("/settings").text)
    assert set(rows) == set(Settings.model_fields)
    assert rows["login_failures"] == "20"
    assert rows["log"] == f"{world.appliance.settings.log} set in APPLIANCE_LOG"
    assert rows["crm_root"] == f"{world.appliance.settings.crm_root} set in /etc/appliance/appliance.toml"


def rows_of(page: str) -> dict[str, str]:
    return {name: text_of(said) for name, said in re.findall(r"<dt><code>(\w+)</code></dt><dd>(.*?)</dd>", page)}


def test_no_setting_is_a_secret() -> None:
    assert [field for field in Settings.model_fields if re.search(r"password|secret|token|credential|private", field)] == []


def test_every_line_leads_to_a_page_that_there_is(world: PanelWorld, alice: Browser) -> None:
    addresses = {line.address for group in groups_of(world.app.state.panel) for line in group.lines if line.address}
    assert len(addresses) > 8
    assert {address: alice.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def test_others_do_not_see_it(oscar: Browser, victor: Browser) -> None:
    assert [one.get("/settings").status_code for one in (oscar, victor)] == [403, 403]
    assert 'href="/settings"' not in victor.get("/sessions").text


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "opt/appliance").mkdir(parents=True)
    return Places(root=tmp_path)


def outcome(places: Places, result: str) -> None:
    told = {
        "kind": "upgrade",
        "result": result,
        "source": "0.1.0-a",
        "target": "0.2.0-b",
        "cause": "",
        "at": NOON.isoformat(),
        "before": "/b",
    }
    places.outcome.write_text(json.dumps(told))


def test_the_last_upgrade_is_read_from_where_it_is_written(places: Places) -> None:
    assert last_upgrade(places) is None
    outcome(places, "succeeded")
    assert last_upgrade(places) == OwnUpgrade(kind="upgrade", source="0.1.0-a", target="0.2.0-b", result="succeeded", at=NOON)
    Intent(kind="upgrade", source=Path("/r/0.2.0-b"), target=Path("/r/0.3.0-c"), before=Path("/b")).write(places)
    staged = last_upgrade(places)
    assert staged is not None
    assert (staged.target, staged.is_under_way) == ("0.3.0-c", True)


@pytest.mark.parametrize("broken", ["", "{}", "[1]", "nothing"])
def test_what_cannot_be_read_of_it_breaks_no_page(places: Places, broken: str) -> None:
    places.intent.write_text(broken)
    assert last_upgrade(places) is None
    places.intent.unlink()
    places.outcome.write_text(broken)
    assert last_upgrade(places) is None
