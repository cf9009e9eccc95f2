"""ETags: what is known is not sent again, and what has changed meanwhile is not changed blindly."""

from typing import Any

import pytest

from appliance.domain.repository import Repository
from tests.support.web_world import NOON, PanelWorld, run_operation

NIGHT = {"name": "night", "subject": "sales", "work": "check", "window": {"days": "SUN", "begin": "05:00", "minutes": 60}}
KEPT = {"keep": {"daily": 7}, "secrets": {}}
SALES = "/api/v1/instances/sales"
CHANGES: list[tuple[str, str, str, Any]] = [
    (SALES, "POST", f"{SALES}/approval", {"wanted": True}),
    (SALES, "POST", f"{SALES}/publication", {"wanted": True}),
    (SALES, "POST", f"{SALES}/adoption", {"wanted": False}),
    (SALES, "POST", f"{SALES}/objectives", {"rpo": "24h"}),
    ("/api/v1/schedules/night", "POST", "/api/v1/schedules/night/pause", {"paused": True}),
    ("/api/v1/schedules/night", "DELETE", "/api/v1/schedules/night", None),
    ("/api/v1/repositories/offsite", "DELETE", "/api/v1/repositories/offsite/retention", None),
    ("/api/v1/repositories/offsite", "DELETE", "/api/v1/repositories/offsite", None),
]


@pytest.fixture(autouse=True)
def _there_is_something(world: PanelWorld) -> None:
    assert world.program_of("Alice").post("/api/v1/schedules", json=NIGHT).status_code == 201
    world.appliance.store.repositories.add(
        Repository(name="offsite", location="rest:https://nas.example.org/crm/", created_at=NOON), by="Alice"
    )


@pytest.mark.parametrize("path", ["instances", "operations", "instances/sales", "audit", "openapi.json"])
def test_what_a_program_has_is_not_sent_again(world: PanelWorld, path: str) -> None:
    program = world.program_of("Alice")
    first = program.get(f"/api/v1/{path}")
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = program.get(f"/api/v1/{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert program.get(f"/api/v1/{path}", headers={"If-None-Match": '"other"'}).content == first.content


def test_what_has_changed_is_sent(world: PanelWorld) -> None:
    program = world.program_of("Victor")
    known = program.get("/api/v1/operations").headers["etag"]
    run_operation(world.appliance)
    assert program.get("/api/v1/operations", headers={"If-None-Match": known}).status_code == 200


def test_refusals_streams_and_exports_have_no_tag(world: PanelWorld) -> None:
    run_operation(world.appliance)
    world.appliance.store.operations.request_cancel(1, now=NOON)
    program = world.program_of("Alice")
    assert ["etag" in program.get(f"/api/v1/{path}").headers for path in ("instances/nobody", "audit/export")] == [False, False]


@pytest.mark.parametrize(("seen", "method", "address", "body"), CHANGES)
def test_a_change_is_made_only_to_what_was_seen(world: PanelWorld, seen: str, method: str, address: str, body: Any) -> None:
    program = world.program_of("Alice")
    tag = program.get(seen).headers["etag"]
    refused = program.request(method, address, json=body, headers={"If-Match": '"other"'})
    assert (refused.status_code, refused.json()["status"], program.get(seen).headers["etag"]) == (412, 412, tag)
    assert program.request(method, address, json=body, headers={"If-Match": tag}).status_code in {200, 204}


def test_of_two_who_have_seen_the_same_one_changes_it(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    tag = program.get(SALES).headers["etag"]
    answers = [program.post(f"{SALES}/objectives", json={"rpo": rpo}, headers={"If-Match": tag}).status_code for rpo in ("24h", "12h")]
    assert (answers, program.get(SALES).json()["objectives"]["rpo"]) == ([204, 412], "1d")
