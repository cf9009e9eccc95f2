"""An operator of single CRMs: every door of what was granted is open, every other one stays closed."""

import json
import re

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import NotFound
from appliance.store.audit import AuditFilter
from appliance.web.access import NEEDED, OF_ONE_CRM, Principal, Role
from tests.support.doors import (
    ADMINISTRATORS_FORMS,
    ALL_API_CHANGES,
    API_OPERATORS_READS,
    CHANGES,
    DELETES,
    GRANTED_API_CHANGES,
    GRANTED_API_REMOVALS,
    GRANTED_CHANGES,
    GRANTED_FORMS,
    GRANTED_LOOKS,
    OPERATORS_FORMS,
    OPERATORS_LOOKS,
    fill,
)
from tests.support.web_world import NOON, Browser, PanelWorld, add_sales, run_operation

FORBIDDEN = 403
FIELDS = {"name": "other", "product": "creme", "confirmation": "sales", "release": "2.8.6", "point": "sales-1", "wanted": "yes"}


def let_operate(world: PanelWorld, crm: str) -> None:
    if crm != "sales":
        add_sales(world.appliance, name=crm, slot=1)
    world.appliance.store.grants.add("Victor", crm, by="root", now=NOON)


def closed_pages(browser: Browser) -> set[str]:
    addresses = [*OPERATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_FORMS]
    return {address for address in addresses if browser.get(fill(address)).status_code == FORBIDDEN}


def closed_changes(world: PanelWorld, crm: str) -> set[str]:
    """Each from the same beginning, since one of them may change what the next one finds."""
    closed = set()
    for address in CHANGES:
        world.reset()
        run_operation(world.appliance)
        let_operate(world, crm)
        if world.browser_of("Victor").post(fill(address), FIELDS).status_code == FORBIDDEN:
            closed.add(address)
    return closed


@pytest.mark.parametrize(("crm", "opened"), [("sales", {*GRANTED_FORMS, *GRANTED_LOOKS}), ("people", set())])
def test_pages_open_for_the_granted_crm_alone(world: PanelWorld, victor: Browser, crm: str, opened: set[str]) -> None:
    run_operation(world.appliance)
    let_operate(world, crm)
    assert closed_pages(victor) == {*OPERATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_FORMS} - opened


@pytest.mark.parametrize(("crm", "opened"), [("sales", set(GRANTED_CHANGES)), ("people", set())])
def test_changes_are_taken_for_the_granted_crm_alone(world: PanelWorld, crm: str, opened: set[str]) -> None:
    assert closed_changes(world, crm) == set(CHANGES) - opened


@pytest.mark.parametrize(("crm", "opened"), [("sales", set(GRANTED_API_CHANGES)), ("people", set())])
def test_a_program_may_what_its_user_may(world: PanelWorld, crm: str, opened: set[str]) -> None:
    run_operation(world.appliance)
    let_operate(world, crm)
    program = world.program_of("Victor")
    closed = {address for address, body in ALL_API_CHANGES.items() if program.post(fill(address), json=body).status_code == FORBIDDEN}
    assert closed == set(ALL_API_CHANGES) - opened
    kept = DELETES - (GRANTED_API_REMOVALS if opened else set())
    assert {program.delete(fill(address)).status_code for address in kept} == {FORBIDDEN}
    reads = {program.get(fill(address)).status_code == FORBIDDEN for address in API_OPERATORS_READS}
    assert reads == {crm != "sales"}


def test_what_takes_more_than_an_operator_is_not_granted() -> None:
    granted = Principal(name="Victor", role=Role.VIEWER, crms=frozenset({"sales"}))
    assert {right for right in OF_ONE_CRM if NEEDED[right] is not Role.OPERATOR} == set()
    for right in (
        "remove",
        "restore-beside",
        "upgrade without a rehearsal",
        "end an archive",
        "tidy unknown deployments",
        "reveal",
        "users",
    ):
        assert not granted.may(right, "sales")
    assert (granted.may("backup", "sales"), granted.may("backup", "people"), granted.may("backup"), granted.may("schedule", "sales")) == (
        True,
        False,
        False,
        False,
    )


def test_a_request_about_another_crm_is_refused_whatever_the_address_says(world: PanelWorld) -> None:
    let_operate(world, "people")
    program = world.program_of("Victor")
    for body in ({"kind": "backup", "instance": "sales"}, {"kind": "restore", "instance": "sales", "parameters": {"point": "sales-1"}}):
        assert program.post("/api/v1/operations", json=body).status_code == FORBIDDEN
    assert program.post("/api/v1/operations", json={"kind": "backup", "instance": "people"}).status_code == 202
    told = program.post("/api/v1/operations", json={"kind": "drill", "instance": "people", "parameters": {"point": "sales-1"}})
    assert told.status_code in (409, 422)
    assert [one.instance for one in world.operations()] == ["people"]


def test_buttons_are_there_for_the_granted_crm_alone(world: PanelWorld, victor: Browser) -> None:
    let_operate(world, "people")

    def buttons(name: str) -> set[str]:
        found = re.findall(rf'action="/instances/{name}/(\w+)"|href="/instances/{name}/(\w+)', victor.get(f"/instances/{name}").text)
        return {one or other for one, other in found} - {"outages"}

    assert (buttons("sales"), {"backup", "upgrade", "restore"} <= buttons("people"), "remove" in buttons("people")) == (set(), True, False)
    assert 'action="/instances/people/backup"' in victor.get("/backups").text
    assert 'action="/instances/sales/backup"' not in victor.get("/backups").text


def test_a_grant_ends_at_once_and_with_its_crm(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    assert alice.post("/users/Victor/grant", {"crm": "sales"}).status_code == 303
    assert victor.get("/instances/sales/upgrade").status_code == 200
    assert alice.post("/users/Victor/revoke", {"crm": "sales"}).status_code == 303
    assert victor.get("/instances/sales/upgrade").status_code == FORBIDDEN
    let_operate(world, "sales")
    world.appliance.store.instances.remove("sales")
    assert world.appliance.store.grants.of("Victor") == frozenset()
    assert [entry.action for entry in world.appliance.store.audit.list(AuditFilter(subject="Victor"))] == ["grant", "end grant", "grant"]


def test_the_page_shows_everybody_with_what_they_operate(world: PanelWorld, alice: Browser) -> None:
    let_operate(world, "sales")
    page = alice.get("/users").text
    assert ("Victor no longer operates sales" in page, page.count("all CRMs")) == (True, 2)
    for name, crm in (("Nobody", "sales"), ("Victor", "none")):
        assert alice.post(f"/users/{name}/grant", {"crm": crm}).status_code == 404


def test_a_program_of_an_administrator_grants(world: PanelWorld) -> None:
    program, viewer, address = world.program_of("Alice"), world.program_of("Victor"), "/api/v1/users"
    assert program.post(f"{address}/Victor/crms", json={"crm": "sales"}).status_code == 204
    assert viewer.get(address).json() == [{"name": "Victor", "role": "viewer", "crms": ["sales"]}]
    assert len(program.get(address).json()) == 3
    assert [program.delete(f"{address}/Victor/crms/sales").status_code for _ in range(2)] == [204, 404]


def test_root_grants_and_sees_it(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["user", *argv], catch_exceptions=False).stdout

    assert "Victor operates sales" in told("grant", "Victor", "--crm", "sales")
    assert {one["name"]: one["crms"] for one in json.loads(told("list", "--json"))} == {"Alice": [], "Oscar": [], "Victor": ["sales"]}
    assert "sales" in told("list")
    assert "no longer" in told("revoke", "Victor", "--crm", "sales")
    with pytest.raises(NotFound, match="was not granted"):
        told("revoke", "Victor", "--crm", "sales")
