"""Every address of the panel, and who may open it: an address that is missing in the tables fails a test."""

import pytest
from fastapi.routing import APIRoute

from tests.support.web_world import Browser, PanelWorld, run_operation

OPEN = {"/login", "/healthz", "/readyz", "/assets/{digest}/{name}", "/status", "/status/export"}
SEEN_BY_ALL = [
    "/",
    "/instances",
    "/instances/{name}",
    "/hosts",
    "/hosts/{name}",
    "/updates",
    "/operations",
    "/operations/{operation_id}",
    "/operations/{operation_id}/log.txt",
    "/backups",
    "/drills",
    "/monitoring",
    "/instances/{name}/outages",
    "/alerts",
    "/password",
    "/certificate-authority.pem",
]
OPERATORS_FORMS = [
    "/schedules/add",
    "/updates/fleet",
    "/instances/{name}/upgrade",
    "/instances/{name}/rollback",
    "/instances/{name}/restore",
    "/instances/{name}/certificate",
]
ADMINISTRATORS_FORMS = [
    "/install",
    "/instances/{name}/remove",
    "/backups/{name}/restore",
    "/repositories/add",
    "/repositories/kit",
    "/repositories/{name}/retention",
    "/alerts/add-channel",
    "/add-host",
    "/hosts/{name}/trust",
    "/hosts/{name}/remove",
]
OPERATORS_LOOKS = ["/backups/{name}/files", "/backups/{name}/files/download", "/backups/{name}/files/restore", "/backups/{name}/tables"]
"""They show what a CRM's users have written."""
STREAMS = ["/operations/{operation_id}/stream"]
CHANGES = {
    "/instances/{name}/backup": "operator",
    "/instances/{name}/drill": "operator",
    "/instances/{name}/archive": "operator",
    "/instances/{name}/upgrade": "operator",
    "/instances/{name}/rollback": "operator",
    "/instances/{name}/restore": "operator",
    "/instances/{name}/restore/loss": "operator",
    "/instances/{name}/certificate": "operator",
    "/backups/{name}/files/restore": "operator",
    "/backups/{name}/tables": "operator",
    "/hosts/{name}/prepare": "operator",
    "/updates": "operator",
    "/updates/patch": "operator",
    "/updates/fleet": "operator",
    "/updates/pause": "operator",
    "/schedules/add": "operator",
    "/schedules/{name}/remove": "operator",
    "/instances/{name}/notices": "operator",
    "/instances/{name}/notices/{notice_id}/remove": "operator",
    "/instances/{name}/publication": "administrator",
    "/operations/{operation_id}/cancel": "operator",
    "/operations/{operation_id}/retry": "operator",
    "/operations/{operation_id}/approve": "operator",
    "/instances/{name}/approval": "administrator",
    "/instances/{name}/objectives": "administrator",
    "/instances/{name}/remove": "administrator",
    "/instances/{name}/password": "administrator",
    "/install": "administrator",
    "/backups/{name}/restore": "administrator",
    "/repositories/add": "administrator",
    "/repositories/kit": "administrator",
    "/repositories/{name}/remove": "administrator",
    "/repositories/{name}/retention": "administrator",
    "/alerts/add-channel": "administrator",
    "/alerts/channels/{name}/test": "administrator",
    "/alerts/channels/{name}/remove": "administrator",
    "/add-host": "administrator",
    "/add-host/confirm": "administrator",
    "/hosts/{name}/trust": "administrator",
    "/hosts/{name}/remove": "administrator",
}
OWN_AFFAIRS = {"/logout", "/password"}
API_READS = [
    "/api/v1/products",
    "/api/v1/certificate-authority",
    "/api/v1/instances",
    "/api/v1/instances/{name}",
    "/api/v1/instances/{name}/recovery-points",
    "/api/v1/instances/{name}/retention",
    "/api/v1/recovery-points",
    "/api/v1/drills",
    "/api/v1/repositories",
    "/api/v1/alerts",
    "/api/v1/notifications",
    "/api/v1/hosts",
    "/api/v1/hosts/{name}",
    "/api/v1/pending",
    "/api/v1/schedules",
    "/api/v1/notices",
    "/api/v1/operations",
    "/api/v1/operations/{operation_id}",
    "/api/v1/operations/{operation_id}/log",
]
API_OPERATORS_READS = [f"/api/v1/instances/{{name}}/{end}" for end in ("files", "files/content", "files/comparison", "tables", "loss")]
API_STREAMS = ["/api/v1/operations/{operation_id}/log/stream"]
WEB2 = {"name": "web2", "address": "127.0.0.1", "port": 1}
API_CHANGES: dict[str, dict[str, object]] = {
    "/api/v1/operations": {"kind": "backup", "instance": "sales"},
    "/api/v1/operations/{operation_id}/cancel": {},
    "/api/v1/operations/{operation_id}/retry": {},
    "/api/v1/operations/{operation_id}/approve": {},
    "/api/v1/hosts/{name}/prepare": {},
    "/api/v1/pending": {},
    "/api/v1/notices": {"instance": "sales", "text": "Back at noon."},
    "/api/v1/schedules": {"name": "n", "subject": "sales", "window": {"days": "SUN", "begin": "02:00", "minutes": 60}},
    "/api/v1/schedules/pause": {"paused": True},
    "/api/v1/schedules/{name}/pause": {"paused": True},
}
API_ADMINISTRATION_CHANGES: dict[str, dict[str, object]] = {
    "/api/v1/hosts": WEB2 | {"fingerprint": "SHA256:x"},
    "/api/v1/hosts/scan": WEB2,
    "/api/v1/instances/{name}/approval": {"wanted": True},
    "/api/v1/instances/{name}/publication": {"wanted": True},
    "/api/v1/hosts/{name}/trust": {"fingerprint": "SHA256:x"},
    "/api/v1/repositories": {"name": "offsite", "location": "rest:https://nas.example.org:8000/crm/"},
    "/api/v1/repositories/{name}/retention": {"keep": {"daily": 7}, "secrets": {}},
    "/api/v1/recovery-kit": {},
    "/api/v1/notifications": {"name": "ops", "url": "json://127.0.0.1/"},
    "/api/v1/notifications/{name}/test": {},
    "/api/v1/instances/{name}/objectives": {"rpo": "24h", "rto": "30m"},
}
ALL_API_CHANGES = API_CHANGES | API_ADMINISTRATION_CHANGES
API_ADMINISTRATION = ["/api/v1/tokens"]
API_OPERATORS_REMOVALS = ["/api/v1/schedules/{name}", "/api/v1/notices/{notice_id}"]
API_REMOVALS = [
    "/api/v1/tokens/{name:path}",
    "/api/v1/hosts/{name}",
    "/api/v1/repositories/{name}",
    "/api/v1/repositories/{name}/retention",
    "/api/v1/notifications/{name}",
]
DESCRIPTION = "/api/v1/openapi.json"

PAGES = [*SEEN_BY_ALL, *OPERATORS_FORMS, *OPERATORS_LOOKS, *ADMINISTRATORS_FORMS, *STREAMS]
API_GETS = [*API_READS, *API_OPERATORS_READS, *API_STREAMS, *API_ADMINISTRATION, DESCRIPTION]
GETS = {*OPEN, *PAGES, *API_GETS}
POSTS = {"/login", *CHANGES, *OWN_AFFAIRS, *ALL_API_CHANGES}
DELETES = {*API_REMOVALS, *API_OPERATORS_REMOVALS}


def fill(address: str) -> str:
    name = "web1" if "/hosts/" in address else "sales"
    return (
        address.replace("{name}", name).replace("{name:path}", "token of Alice").replace("{operation_id}", "1").replace("{notice_id}", "1")
    )


def routes_of(world: PanelWorld) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    pending = list(world.app.routes)
    while pending:
        route = pending.pop()
        if isinstance(route, APIRoute):
            found |= {(method, route.path) for method in route.methods or ()}
        pending += getattr(getattr(route, "original_router", None), "routes", [])
    return found


def test_every_address_is_in_these_tables(world: PanelWorld) -> None:
    described = {("GET", path) for path in GETS} | {("POST", path) for path in POSTS} | {("DELETE", path) for path in DELETES}
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
    answers += [mallory.client.delete(fill(address)) for address in DELETES]
    told = {(answer.status_code, answer.headers["content-type"], answer.headers["www-authenticate"]) for answer in answers}
    assert told == {(401, "application/problem+json", "Bearer")}


@pytest.mark.parametrize("name", ["Mallory", "Alice"])
def test_only_a_token_opens_the_api_and_no_browser_session(world: PanelWorld, name: str) -> None:
    client = world.browser_of(name).client
    answers = {client.post(fill(address), json=body).status_code for address, body in ALL_API_CHANGES.items()}
    assert (answers, world.operations()) == ({401}, [])


def test_a_viewer_sees_every_page(world: PanelWorld, victor: Browser) -> None:
    run_operation(world.appliance)
    assert {address: victor.get(fill(address)).status_code for address in SEEN_BY_ALL} == dict.fromkeys(SEEN_BY_ALL, 200)


def test_a_viewer_gets_no_form_that_changes_something(victor: Browser) -> None:
    forms = [*OPERATORS_FORMS, *ADMINISTRATORS_FORMS]
    assert {address: victor.get(fill(address)).status_code for address in forms} == dict.fromkeys(forms, 403)


def test_a_viewer_does_not_see_what_the_users_of_a_crm_have_written(world: PanelWorld, victor: Browser) -> None:
    assert {address: victor.get(fill(address)).status_code for address in OPERATORS_LOOKS} == dict.fromkeys(OPERATORS_LOOKS, 403)
    program = world.program_of("Victor")
    assert {program.get(fill(address)).status_code for address in API_OPERATORS_READS} == {403}


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


def test_only_an_administrator_sees_and_revokes_tokens_and_changes_the_list_of_hosts(world: PanelWorld) -> None:
    world.program_of("Alice")
    for program in (world.program_of("Victor"), world.program_of("Oscar")):
        answers = [program.get(address) for address in API_ADMINISTRATION] + [program.delete(fill(address)) for address in API_REMOVALS]
        answers += [program.post(fill(address), json=body) for address, body in API_ADMINISTRATION_CHANGES.items()]
        assert {answer.status_code for answer in answers} == {403}
    assert [token.name for token in world.appliance.store.access.tokens()] == ["token of Alice", "token of Oscar", "token of Victor"]


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
