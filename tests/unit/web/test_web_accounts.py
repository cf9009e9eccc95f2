"""Users and tokens are kept by administrators, in the panel and by the API, and a token has no more rights than it was issued with."""

import re
from datetime import timedelta

import pytest
from httpx import Client

from appliance.errors import Conflict
from tests.support.web_world import NOON, PanelWorld, client_of


def program_with(world: PanelWorld, *, user: str, scope: str, days: int | None = None) -> Client:
    token = world.appliance.store.tokens.issue(name=f"{scope} of {user}", user=user, by="root", now=world.moment, scope=scope, days=days)
    return client_of(world.app, {"Authorization": f"Bearer {token}"})


def test_a_token_up_to_viewer_changes_nothing_whoever_issued_it(world: PanelWorld) -> None:
    for scope, expected in (("viewer", 403), ("operator", 202), ("administrator", 409)):
        request = {"kind": "backup", "instance": "sales"}
        assert program_with(world, user="Alice", scope=scope).post("/api/v1/operations", json=request).status_code == expected, scope


def test_a_scope_gives_nobody_more_than_he_has(world: PanelWorld) -> None:
    program = program_with(world, user="Victor", scope="administrator")
    assert program.post("/api/v1/operations", json={"kind": "backup", "instance": "sales"}).status_code == 403
    world.appliance.store.grants.add("Victor", "sales", by="root", now=NOON)
    reader = program_with(world, user="Victor", scope="viewer")
    assert reader.post("/api/v1/operations", json={"kind": "backup", "instance": "sales"}).status_code == 403
    assert program.post("/api/v1/operations", json={"kind": "backup", "instance": "sales"}).status_code == 202


def test_a_token_that_is_over_opens_nothing_and_says_so(world: PanelWorld) -> None:
    program = program_with(world, user="Alice", scope="viewer", days=30)
    assert program.get("/api/v1/instances").status_code == 200
    world.moment += timedelta(days=30)
    answer = program.get("/api/v1/instances")
    assert (answer.status_code, "is over since" in answer.json()["detail"]) == (401, True)


def test_a_token_is_issued_and_revoked_on_its_page(world: PanelWorld) -> None:
    alice = world.browser_of("Alice")
    page = alice.post("/tokens/issue", {"name": "cron", "user": "Oscar", "scope": "operator", "days": "90"}).text
    token = re.search(r"appl_[\w-]+", page)
    assert token is not None
    found = world.appliance.store.tokens.find(token[0])
    assert found is not None
    assert (found.user, found.scope, found.expires_at) == ("Oscar", "operator", world.moment + timedelta(days=90))
    assert token[0] not in alice.get("/tokens").text
    alice.post("/tokens/revoke", {"name": "cron"})
    assert world.appliance.store.tokens.find(token[0]) is None


@pytest.mark.parametrize(("field", "value"), [("name", " "), ("scope", "root"), ("days", "0"), ("days", "soon")])
def test_a_token_of_no_use_is_refused_at_its_field(world: PanelWorld, field: str, value: str) -> None:
    alice = world.browser_of("Alice")
    answer = alice.post("/tokens/issue", {"name": "cron", "user": "Oscar", "scope": "operator", "days": "90", field: value})
    assert (answer.status_code, "Nothing was changed" in answer.text) == (422, True)
    assert "cron" not in {one.name for one in world.appliance.store.tokens.list()}


def test_a_user_is_added_logs_in_with_the_password_once_and_is_removed(world: PanelWorld) -> None:
    alice = world.browser_of("Alice")
    page = alice.post("/users/add", {"name": "Erika", "role": "operator"}).text
    password = re.search(r'class="secret">([^<]+)<', page)
    assert password is not None
    erika = world.appliance.store.access.find_user("Erika")
    assert erika is not None
    assert (erika.role, erika.must_change) == ("operator", True)
    alice.post("/users/Erika/role", {"role": "viewer"})
    assert [one.role for one in world.appliance.store.access.users() if one.name == "Erika"] == ["viewer"]
    token = world.appliance.store.tokens.issue(name="erika", user="Erika", by="Erika", now=world.moment)
    alice.post("/users/Erika/remove", {})
    assert world.appliance.store.access.find_user("Erika") is None
    assert world.appliance.store.tokens.find(token) is None


def test_a_name_that_is_taken_in_other_letters_is_refused_and_comes_back(world: PanelWorld) -> None:
    answer = world.browser_of("Alice").post("/users/add", {"name": "OSCAR", "role": "viewer"})
    assert (answer.status_code, "There is a user" in answer.text, 'value="OSCAR"' in answer.text) == (409, True, True)


def test_the_last_administrator_stays_one(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    assert program.post("/api/v1/users/Alice/role", json={"role": "viewer"}).status_code == 409
    assert program.delete("/api/v1/users/Alice").status_code == 409
    assert program.post("/api/v1/users", json={"name": "Erika", "role": "administrator"}).status_code == 201
    assert program.delete("/api/v1/users/Alice").status_code == 204
    with pytest.raises(Conflict, match="only administrator"):
        world.appliance.store.users.remove("Erika", by="root", now=NOON)


def test_with_another_role_everybody_logs_in_anew(world: PanelWorld) -> None:
    oscar = world.browser_of("Oscar")
    assert world.program_of("Alice").post("/api/v1/users/Oscar/role", json={"role": "viewer"}).status_code == 204
    assert oscar.get("/").status_code != 200


def test_a_new_one_time_password_logs_every_browser_out(world: PanelWorld) -> None:
    oscar = world.browser_of("Oscar")
    assert oscar.get("/").status_code == 200
    answer = world.program_of("Alice").post("/api/v1/users/Oscar/password", json={})
    assert (answer.status_code, len(answer.json()["password"])) == (200, 20)
    assert oscar.get("/").status_code != 200
