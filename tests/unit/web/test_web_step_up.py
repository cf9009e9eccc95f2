"""Step-up: what matters most asks a browser once more who it is, and loses nothing of what was filled in."""

import html
import re
from datetime import timedelta

import pytest
from httpx import Response

from appliance.domain.operation import OperationStatus
from appliance.domain.second_factor import code_at, make_secret, step_of
from appliance.store.audit import AuditFilter
from appliance.web.confirming import CODE, LASTS, PASSWORD
from appliance.web.passwords import PATIENCE
from tests.support import web_world
from tests.support.web_world import NOON, Browser, PanelWorld, end_operation, run_operation

IN_PLACE = {"way": "in_place", "point": "sales-1", "confirmation": "sales", "only": "files", "repository": "", "latest": ""}
FILES = "/backups/sales/files/restore?point=sales-1&path=a%2Fb%20%26%20%22c%22"
GRAVE = {
    "/instances/sales/restore": IN_PLACE,
    "/instances/sales/remove": {"confirmation": "sales"},
    "/instances/sales/password": {},
    "/hosts/web1/remove": {"confirmation": "web1"},
    "/repositories/offsite/remove": {},
    "/repositories/kit": {"as": "file"},
    FILES: {"way": "in_place", "confirmation": "sales"},
    "/second-factor/offer": {},
    "/second-factor/codes": {},
    "/second-factor/off/Alice": {},
}
HOSTILE = '"><script>alert(1)</script>\r\nü\u202e'


@pytest.fixture
def late(world: PanelWorld, alice: Browser) -> Browser:
    """Alice's browser, ten minutes after she has logged in."""
    world.moment += LASTS
    return alice


def asks(answer: Response) -> bool:
    return answer.status_code == 401 and "Confirm that it is you" in answer.text


def carried(answer: Response) -> tuple[str, dict[str, str]]:
    """Where the question sends, and what it sends along."""
    (form,) = [part for part in re.findall(r"<form.*?</form>", answer.text, re.DOTALL) if f'name="{PASSWORD}"' in part]
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return html.unescape(re.findall(r'action="([^"]*)"', form)[0]), {html.unescape(name): html.unescape(value) for name, value in fields}


def answer_with(browser: Browser, question: Response, password: str = web_world.PASSWORD, code: str = "") -> Response:
    address, fields = carried(question)
    return browser.client.post(address, data={**fields, PASSWORD: password, CODE: code}, follow_redirects=False)


def test_whatever_is_grave_asks_and_changes_nothing_meanwhile(world: PanelWorld, late: Browser) -> None:
    before = len(world.appliance.store.audit.list())
    answers = {address: late.post(address, fields) for address, fields in GRAVE.items()}
    assert {address: asks(answer) for address, answer in answers.items()} == dict.fromkeys(GRAVE, True)
    assert (world.operations(), [one.name for one in world.appliance.store.hosts.list()]) == ([], ["localhost", "web1"])
    assert len(world.appliance.store.audit.list()) == before


def test_just_after_a_log_in_nothing_is_asked(world: PanelWorld, alice: Browser) -> None:
    world.moment += LASTS - timedelta(seconds=1)
    assert alice.post("/instances/sales/restore", IN_PLACE).status_code == 303
    assert [one.kind for one in world.operations()] == ["restore"]


def test_a_clock_that_was_set_back_makes_nobody_known_for_longer(world: PanelWorld, alice: Browser) -> None:
    world.moment -= timedelta(seconds=1)
    assert asks(alice.post("/instances/sales/remove", {"confirmation": "sales"}))


def test_what_was_filled_in_goes_on_as_it_was(world: PanelWorld, late: Browser) -> None:
    question = late.post("/instances/sales/restore", IN_PLACE)
    assert carried(question) == ("/instances/sales/restore", {"csrf": late.csrf, **IN_PLACE})
    answer = answer_with(late, question)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operations/1")
    (operation,) = world.operations()
    assert (operation.kind, operation.parameters["point"], operation.parameters["only"]) == ("restore", "sales-1", "files")


def test_an_address_and_hostile_fields_come_along_inert(late: Browser) -> None:
    question = late.post(FILES, {"way": "in_place", HOSTILE: HOSTILE})
    assert ("<script>alert" in question.text, question.text.count("<form")) == (False, 6)
    assert carried(question) == (FILES, {"csrf": late.csrf, "way": "in_place", HOSTILE: HOSTILE})


def test_once_shown_it_holds_for_ten_minutes_in_this_browser_alone(world: PanelWorld, late: Browser) -> None:
    world.appliance.store.vault.put("sales", "admin_password", "first secret")
    other = world.browser_of("Alice")
    world.moment += LASTS
    assert answer_with(late, late.post("/instances/sales/password")).status_code == 200
    world.moment += LASTS - timedelta(seconds=1)
    assert (late.post("/instances/sales/password").status_code, asks(other.post("/instances/sales/password"))) == (200, True)
    world.moment += timedelta(seconds=1)
    assert asks(late.post("/instances/sales/password"))
    actions = [entry.action for entry in world.appliance.store.audit.list()]
    assert actions == ["reveal password", "reveal password", "confirm"]


def test_a_refused_form_after_the_question_holds_no_password(world: PanelWorld, late: Browser) -> None:
    question = late.post("/instances/sales/restore", {**IN_PLACE, "confirmation": "sals"})
    answer = answer_with(late, question)
    assert (answer.status_code, "This is not the name" in answer.text, web_world.PASSWORD in answer.text) == (422, True, False)
    assert world.operations() == []
    assert late.post("/instances/sales/restore", IN_PLACE).status_code == 303


def test_a_wrong_password_asks_again_with_everything_and_locks_out_in_the_end(world: PanelWorld, late: Browser) -> None:
    question, told = late.post("/instances/sales/restore", IN_PLACE), []
    for number in range(PATIENCE + 1):
        question = answer_with(late, question, password=f"guess {number}")
        told.append(question.status_code)
        assert (carried(question)[1], "guess" in question.text) == ({"csrf": late.csrf, **IN_PLACE}, False)
    assert (told, world.operations()) == ([401] * PATIENCE + [429], [])
    assert (answer_with(late, question).status_code, world.operations()) == (429, [])
    world.moment += timedelta(seconds=31)
    assert answer_with(late, question).status_code == 303
    assert len(world.appliance.store.audit.list(AuditFilter(action="confirmation refused"))) == PATIENCE + 2


def test_a_second_factor_is_asked_for_with_the_password(world: PanelWorld, late: Browser) -> None:
    secret = make_secret()
    world.appliance.store.second_factors.turn_on("Alice", secret=secret, step=0, codes=[], now=NOON)
    question, code = late.post("/instances/sales/remove", {"confirmation": "sales"}), code_at(secret, step_of(world.moment))
    assert f'name="{CODE}"' in question.text
    for password, typed in ((web_world.PASSWORD, ""), (web_world.PASSWORD, "12345"), ("wrong", code)):
        assert asks(answer_with(late, question, password, typed))
    assert world.operations() == []
    assert answer_with(late, question, code=code).status_code == 303
    world.moment += LASTS
    assert asks(answer_with(late, late.post("/instances/sales/password"), code=code))


@pytest.mark.parametrize("end", ["retry", "approve"])
def test_what_is_tried_again_or_approved_asks_as_its_request_does(world: PanelWorld, late: Browser, end: str) -> None:
    asked = {}
    for kind in ("restore", "remove", "restore-files", "upgrade"):
        operation = run_operation(world.appliance, kind=kind)
        end_operation(world.appliance, operation.id, OperationStatus.FAILED)
        asked[kind] = asks(late.post(f"/operations/{operation.id}/{end}"))
    assert asked == {"restore": True, "remove": True, "restore-files": True, "upgrade": False}


def test_the_role_is_looked_at_before_anybody_is_asked(world: PanelWorld) -> None:
    for name, forbidden in (("Victor", list(GRAVE)[:7]), ("Oscar", list(GRAVE)[1:6])):
        browser = world.browser_of(name)
        world.moment += LASTS
        answers = {address: browser.post(address, GRAVE[address]).status_code for address in forbidden}
        assert answers == dict.fromkeys(forbidden, 403)


def test_restoring_beside_and_looking_ask_nobody(late: Browser) -> None:
    answers = [late.get(address) for address in ("/instances/sales/restore", "/instances/sales/remove", "/repositories/kit")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    beside = late.post("/instances/sales/restore", {"way": "beside", "point": "sales-1", "new_name": "sales-copy"})
    assert beside.status_code == 303


def test_programs_are_never_asked(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    world.moment += timedelta(days=40)
    body = {"kind": "restore", "instance": "sales", "parameters": {"point": "sales-1"}}
    assert program.post("/api/v1/operations", json=body).status_code == 202
    assert program.delete("/api/v1/hosts/web1").status_code == 204
    assert program.post("/api/v1/recovery-kit").status_code == 409  # there is no repository elsewhere yet
