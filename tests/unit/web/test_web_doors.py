"""Every address of the panel, and who may open it: an address that is missing in the tables fails a test."""

import pytest

from appliance.web.routes import every_route
from tests.support.doors import (
    ADMINISTRATORS_FORMS,
    ADMINISTRATORS_LOOKS,
    ALL_API_CHANGES,
    API_ADMINISTRATION,
    API_ADMINISTRATION_CHANGES,
    API_GETS,
    API_NAMED_READS,
    API_OPERATORS_READS,
    API_OWN_CHANGES,
    API_OWN_REMOVALS,
    API_READS,
    API_REMOVALS,
    CHANGES,
    DELETES,
    GETS,
    OPERATORS_FORMS,
    OPERATORS_LOOKS,
    OWN_AFFAIRS,
    PAGES,
    POSTS,
    SEEN_BY_ALL,
    fill,
)
from tests.support.web_world import Browser, PanelWorld, run_operation


def routes_of(world: PanelWorld) -> set[tuple[str, str]]:
    return {(method, route.path) for route, methods in every_route(world.app) for method in methods}


def test_every_address_is_in_these_tables(world: PanelWorld) -> None:
    described = (
        {("GET", path) for path in GETS} | {("POST", path) for path in POSTS} | {("DELETE", path) for path in (*DELETES, *API_OWN_REMOVALS)}
    )
    assert routes_of(world) == described


def test_every_page_sends_a_stranger_to_the_log_in(mallory: Browser) -> None:
    answers = {address: mallory.get(fill(address)) for address in PAGES}
    went = {address: (answer.status_code, answer.headers["location"].partition("?")[0]) for address, answer in answers.items()}
    assert went == dict.fromkeys(PAGES, (303, "/login"))


def test_a_stranger_changes_nothing(world: PanelWorld, mallory: Browser) -> None:
    answers = {address: mallory.post(fill(address)).headers["location"] for address in [*CHANGES, *OWN_AFFAIRS]}
    assert set(answers.values()) == {"/login?next=%2F"}
    assert world.operations() == []


def test_the_api_tells_a_stranger_nothing(mallory: Browser) -> None:
    answers = [mallory.get(fill(address)) for address in API_GETS]
    answers += [mallory.client.delete(fill(address)) for address in (*DELETES, *API_OWN_REMOVALS)]
    told = {(answer.status_code, answer.headers["content-type"], answer.headers["www-authenticate"]) for answer in answers}
    assert told == {(401, "application/problem+json", "Bearer")}


@pytest.mark.parametrize("name", ["Mallory", "Alice"])
def test_only_a_token_opens_the_api_and_no_browser_session(world: PanelWorld, name: str) -> None:
    client = world.browser_of(name).client
    answers = {client.post(fill(address), json=body).status_code for address, body in (ALL_API_CHANGES | API_OWN_CHANGES).items()}
    assert (answers, world.operations()) == ({401}, [])


def test_a_viewer_sees_every_page(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    assert {address: victor.get(fill(address)).status_code for address in SEEN_BY_ALL} == dict.fromkeys(SEEN_BY_ALL, 200)


def test_a_viewer_gets_no_form_that_changes_something(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    forms = [*OPERATORS_FORMS, *ADMINISTRATORS_FORMS]
    assert {address: victor.get(fill(address)).status_code for address in forms} == dict.fromkeys(forms, 403)


def test_a_viewer_does_not_see_what_the_users_of_a_crm_have_written(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    assert {address: victor.get(fill(address)).status_code for address in OPERATORS_LOOKS} == dict.fromkeys(OPERATORS_LOOKS, 403)
    program = world.program_of("Victor")
    assert {program.get(fill(address)).status_code for address in API_OPERATORS_READS} == {403}


def test_only_an_administrator_sees_the_audit(alice: Browser, oscar: Browser, victor: Browser) -> None:
    for browser, code in ((alice, 200), (oscar, 403), (victor, 403)):
        assert {address: browser.get(address).status_code for address in ADMINISTRATORS_LOOKS} == dict.fromkeys(ADMINISTRATORS_LOOKS, code)


def test_a_viewer_changes_nothing(world: PanelWorld, victor: Browser) -> None:
    before = run_operation(world.appliance)
    fields = {"name": "other", "product": "creme", "confirmation": "sales", "release": "2.8.6", "point": "sales-1"}
    assert {address: victor.post(fill(address), fields).status_code for address in CHANGES} == dict.fromkeys(CHANGES, 403)
    assert world.operations() == [before]


def test_a_viewers_token_changes_nothing(world: PanelWorld) -> None:
    before, program = run_operation(world.appliance), world.program_of("Victor")
    answers = [program.post(fill(address), json=body) for address, body in ALL_API_CHANGES.items()]
    answers += [program.delete(fill(address)) for address in DELETES]
    assert {(answer.status_code, answer.json()["status"]) for answer in answers} == {(403, 403)}
    assert world.operations() == [before]


def test_a_viewers_token_reads_everything(world: PanelWorld) -> None:
    run_operation(world.appliance)
    program = world.program_of("Victor")
    assert {address: program.get(fill(address)).status_code for address in API_READS} == dict.fromkeys(API_READS, 200)
    assert {address: program.get(fill(address)).status_code for address in API_NAMED_READS} == dict.fromkeys(API_NAMED_READS, 404)


def test_only_an_administrator_sees_and_revokes_tokens_and_changes_the_list_of_hosts(world: PanelWorld) -> None:
    world.program_of("Alice")
    for program in (world.program_of("Victor"), world.program_of("Oscar")):
        answers = [program.get(address) for address in API_ADMINISTRATION] + [program.delete(fill(address)) for address in API_REMOVALS]
        answers += [program.post(fill(address), json=body) for address, body in API_ADMINISTRATION_CHANGES.items()]
        assert {answer.status_code for answer in answers} == {403}
    assert [token.name for token in world.appliance.store.tokens.list()] == ["token of Alice", "token of Oscar", "token of Victor"]


def test_an_operator_neither_installs_nor_removes(world: PanelWorld, oscar: Browser) -> None:
    fields = {"name": "other", "product": "creme", "confirmation": "sales"}
    closed = [address for address, role in CHANGES.items() if role == "administrator"]
    assert {address: oscar.post(fill(address), fields).status_code for address in closed} == dict.fromkeys(closed, 403)
    assert world.operations() == []


@pytest.mark.parametrize("token", ["", "guess", "ü"])
def test_a_form_without_this_sessions_token_changes_nothing(world: PanelWorld, alice: Browser, token: str) -> None:
    alice.csrf, before = token, run_operation(world.appliance)
    fields = {"confirmation": "sales", "name": "other", "product": "creme"}
    forms = [*CHANGES, *OWN_AFFAIRS]
    assert {address: alice.post(fill(address), fields).status_code for address in forms} == dict.fromkeys(forms, 403)
    assert (world.operations(), alice.get("/").status_code) == ([before], 200)


def test_the_token_of_another_session_is_no_good(world: PanelWorld, alice: Browser) -> None:
    alice.csrf = world.browser_of("Alice").csrf
    assert alice.post("/instances/sales/backup").status_code == 403


def test_a_session_ends_after_its_life(world: PanelWorld, alice: Browser) -> None:
    world.moment = world.moment.replace(day=3)
    assert alice.get("/").status_code == 303
