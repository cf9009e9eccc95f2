"""The browsers that are logged in: seen, ended, and over by themselves."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.store.access import SESSION_IDLE
from appliance.store.audit import AuditFilter
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld

HOSTILE = "<script>alert(1)</script>\u202e"


def ids(world: PanelWorld, name: str | None = None) -> list[str]:
    return [one.id for one in world.appliance.store.access.sessions(name, now=world.moment)]


def test_a_log_in_says_where_it_is_in_bounded_and_inert_text(world: PanelWorld, mallory: Browser) -> None:
    token = re.findall(r'name="csrf" value="([^"]+)"', mallory.get("/login").text)[0]
    fields = {"csrf": token, "name": "Alice", "password": PASSWORD}
    agent = (HOSTILE + "x" * 1000).encode()
    mallory.client.post("/login", data=fields, headers={b"user-agent": agent})
    (session,) = world.appliance.store.access.sessions("Alice", now=NOON)
    assert (len(session.browser), session.address, session.created_at) == (200, "127.0.0.1", NOON)
    page = mallory.get("/sessions").text
    assert ("<script>alert" in page, "This one" in page, "&lt;script&gt;" in page) == (False, True, True)


def test_everybody_sees_their_own_and_an_administrator_everybodys(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    world.browser_of("Victor")
    assert {session in victor.get("/sessions").text for session in ids(world, "Alice")} == {False}
    assert victor.get("/sessions").text.count('/end"') == 1
    assert alice.get("/sessions").text.count('/end"') == 2
    assert {one["user"] for one in world.program_of("Victor").get("/api/v1/sessions").json()} == {"Victor"}
    assert {one["user"] for one in world.program_of("Alice").get("/api/v1/sessions").json()} == {"Alice", "Victor"}


def test_what_opens_a_session_is_told_nobody(world: PanelWorld, alice: Browser) -> None:
    world.browser_of("Victor")
    (other,) = world.appliance.store.access.sessions("Victor", now=NOON)
    for text in (alice.get("/sessions").text, world.program_of("Alice").get("/api/v1/sessions").text):
        assert (other.id in text, other.token_hash in text, other.csrf in text) == (True, False, False)


def test_one_session_is_ended_and_opens_nothing_more(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    (session,) = ids(world, "Victor")
    assert alice.post(f"/sessions/{session}/end").status_code == 303
    assert (victor.get("/").status_code, alice.get("/").status_code) == (303, 200)
    assert alice.post(f"/sessions/{session}/end").status_code == 404
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="end session"))
    assert (entry.actor, entry.subject, entry.detail) == ("Alice", "Victor", {"session": session})


def test_all_others_of_ones_own_are_ended(world: PanelWorld, victor: Browser, alice: Browser) -> None:
    others = [world.browser_of("Victor") for _ in range(3)]
    victor.post("/sessions/end-others")
    assert [browser.get("/").status_code for browser in (victor, alice, *others)] == [200, 200, 303, 303, 303]


def test_nobody_but_an_administrator_ends_the_sessions_of_others(world: PanelWorld, alice: Browser, oscar: Browser) -> None:
    (session,) = ids(world, "Alice")
    program = world.program_of("Oscar")
    assert oscar.post(f"/sessions/{session}/end").status_code == 404
    assert program.delete(f"/api/v1/sessions/{session}").status_code == 404
    assert program.delete("/api/v1/sessions?user=Alice").status_code == 403
    assert program.delete("/api/v1/sessions").status_code == 204
    assert (alice.get("/").status_code, oscar.get("/").status_code) == (200, 303)
    assert world.program_of("Alice").delete(f"/api/v1/sessions/{session}").status_code == 204
    assert alice.get("/").status_code == 303


def test_an_administrators_program_ends_all_of_a_user(world: PanelWorld, victor: Browser) -> None:
    assert world.program_of("Alice").delete("/api/v1/sessions?user=Victor").status_code == 204
    assert (victor.get("/").status_code, ids(world)) == (303, [])


def test_an_idle_session_is_over_and_a_used_one_is_not(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    for _ in range(3):
        world.moment += SESSION_IDLE / 2
        assert alice.get("/sessions").status_code == 200
    assert victor.get("/").status_code == 303
    assert len(ids(world)) == 1
    world.moment += SESSION_IDLE - timedelta(seconds=1)
    assert alice.get("/").status_code == 200


def test_that_a_session_is_used_is_noted_once_a_minute(world: PanelWorld, alice: Browser) -> None:
    noted = []
    for seconds in (30, 29, 1, 59):
        world.moment += timedelta(seconds=seconds)
        alice.get("/sessions")
        noted.append(world.appliance.store.access.sessions(now=world.moment)[0].last_used_at - NOON)
    assert noted == [timedelta(), timedelta(), timedelta(minutes=1), timedelta(minutes=1)]


def test_a_change_of_role_ends_every_session_of_that_user(world: PanelWorld, oscar: Browser) -> None:
    world.appliance.store.access.put_user(name="Oscar", password_hash="none", role="viewer", must_change=False, now=NOON)
    assert oscar.get("/").status_code == 303


def test_the_command_line_lists_and_ends_them(world: PanelWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))
    monkeypatch.setattr("appliance.cli.access.now", lambda: NOON)
    for name in ("Alice", "Victor", "Victor"):
        world.appliance.store.access.open_session(name, now=NOON, browser=HOSTILE)

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["session", *argv], catch_exceptions=False).stdout

    assert "\u202e" not in told("list")
    assert [one["user"] for one in json.loads(told("list", "--user", "Alice", "--json"))] == ["Alice"]
    assert "1 browser logged out" in told("end", ids(world, "Alice")[0])
    assert "2 browsers logged out" in told("end", "--user", "Victor")
    assert "No browser is logged in" in told("list")
    with pytest.raises(NotFound, match="There is no session 'none'; nothing was changed"):
        told("end", "none")
    for argv in ([], ["one", "--user", "Alice"]):
        with pytest.raises(InvalidRequest, match="Nothing was changed"):
            told("end", *argv)
