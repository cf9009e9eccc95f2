"""The first steps lead somebody who has never seen the panel."""

from pathlib import Path

import pytest

from tests.support.web_world import PASSWORD, Browser, PanelWorld, hashed_password
from tests.unit.web.test_web_pages import text_of


def test_who_has_chosen_the_first_password_is_led_there(world: PanelWorld) -> None:
    put = world.appliance.store.access.put_user
    put(name="Alice", password_hash=hashed_password(), role="administrator", must_change=True, now=world.moment)
    alice = world.browser_of("Alice")
    fresh = {"password": "another fine password", "again": "another fine password"}
    assert alice.post("/password", fresh).headers["location"] == "/welcome"
    alice = world.browser_of("Alice")
    again = {"current": "another fine password", "password": PASSWORD, "again": PASSWORD}
    assert alice.post("/password", again).headers["location"] == "/"


def test_it_says_what_is_done_and_what_comes(alice: Browser) -> None:
    page = alice.get("/welcome").text
    assert "Set it up" in page
    assert all(f'href="{address}"' in page for address in ("/second-factor", "/install", "/add-host", "/backups"))
    assert "bin/up --recover kit.toml" in page


def test_it_looks_at_the_machine(world: PanelWorld, alice: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    text = text_of(alice.get("/welcome").text)
    assert "restic not installed; run: appliance host prepare See to it" in text
    assert "worker not running; run: appliance up See to it" in text
    for name in ("restic", "nginx", "pg_createcluster"):
        (tmp_path / name).touch(mode=0o755)
    assert f"restic {tmp_path / 'restic'} Well" in text_of(world.browser_of("Alice").get("/welcome").text)


def test_a_viewer_is_offered_nothing_that_is_refused(victor: Browser) -> None:
    page = victor.get("/welcome").text
    assert ('href="/install"' in page, 'href="/add-host"' in page, "Restore from a backup" in page) == (False, False, True)


def test_an_empty_appliance_leads_there(world: PanelWorld, alice: Browser) -> None:
    world.appliance.store.instances.remove("sales")
    assert 'href="/welcome"' in alice.get("/").text
