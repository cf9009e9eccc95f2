import re
from datetime import timedelta

import pytest

from appliance.web.pages.entrance import inner_address
from appliance.web.passwords import PATIENCE
from appliance.web.sessions import SESSION_COOKIE, VISIT_COOKIE
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld, hashed_password

NEW = "another good passphrase"


def log_in(browser: Browser, name: str, password: str, address: str = "/") -> int:
    form = browser.get("/login").text
    token = re.findall(r'name="csrf" value="([^"]+)"', form)[0]
    fields = {"csrf": token, "name": name, "password": password, "next": address}
    browser.answer = browser.client.post("/login", data=fields)
    return browser.answer.status_code


def test_a_right_password_opens_the_page_that_was_asked_for(mallory: Browser) -> None:
    assert log_in(mallory, "Alice", PASSWORD, "/operations?kind=backup") == 303
    assert mallory.answer.headers["location"] == "/operations?kind=backup"
    assert mallory.get("/").status_code == 200


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(mallory: Browser) -> None:
    log_in(mallory, "Alice", PASSWORD)
    cookie = next(value for value in mallory.answer.headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_an_unknown_name_and_a_wrong_password_are_told_the_same(mallory: Browser) -> None:
    told = []
    for name in ("Alice", "Nobody"):
        status = log_in(mallory, name, "wrong")
        told.append((status, re.findall(r'role="alert">([^<]+)<', mallory.answer.text)))
    assert told[0] == told[1] == (401, ["The name or the password is wrong."])


def test_a_log_in_form_from_elsewhere_is_refused(mallory: Browser) -> None:
    mallory.get("/login")
    answer = mallory.client.post("/login", data={"csrf": "guess", "name": "Alice", "password": PASSWORD})
    assert (answer.status_code, SESSION_COOKIE in mallory.client.cookies) == (403, False)


def test_a_log_in_form_without_its_cookie_is_refused(mallory: Browser) -> None:
    mallory.client.cookies.delete(VISIT_COOKIE) if VISIT_COOKIE in mallory.client.cookies else None
    assert mallory.client.post("/login", data={"csrf": "", "name": "Alice", "password": PASSWORD}).status_code == 403


def test_repeated_failures_lock_even_the_right_password_out_for_a_while(world: PanelWorld, mallory: Browser) -> None:
    world.appliance.store.access.note_attempt("Alice", failures=PATIENCE - 1, locked_until=None)
    assert log_in(mallory, "Alice", "wrong") == 401
    assert log_in(mallory, "Alice", PASSWORD) == 429
    assert "Try again in 30 seconds" in mallory.answer.text
    world.moment += timedelta(seconds=31)
    assert log_in(mallory, "Alice", PASSWORD) == 303


def test_each_further_failure_locks_for_longer_up_to_a_limit(world: PanelWorld, mallory: Browser) -> None:
    world.appliance.store.access.note_attempt("Alice", failures=PATIENCE + 30, locked_until=NOON)
    log_in(mallory, "Alice", "wrong")
    user = world.appliance.store.access.find_user("Alice")
    assert user is not None
    assert user.locked_until == NOON + timedelta(minutes=15)


@pytest.fixture
def newcomer(world: PanelWorld) -> Browser:
    world.appliance.store.access.put_user(name="Alice", password_hash=hashed_password(), role="administrator", must_change=True, now=NOON)
    return world.browser_of("Alice")


def test_a_one_time_password_opens_nothing_but_the_form_that_replaces_it(world: PanelWorld, newcomer: Browser) -> None:
    answers = [newcomer.get("/"), newcomer.get("/operations"), newcomer.post("/instances/sales/backup")]
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/password")}
    assert world.operations() == []


def test_a_new_password_opens_the_panel_and_replaces_the_old_one(newcomer: Browser, mallory: Browser) -> None:
    answer = newcomer.post("/password", {"password": NEW, "again": NEW})
    assert (answer.status_code, newcomer.get("/").status_code) == (303, 200)
    assert log_in(mallory, "Alice", PASSWORD) == 401
    assert log_in(mallory, "Alice", NEW) == 303


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [("short", "short", "at least 12"), (NEW, "other", "differ"), (PASSWORD, PASSWORD, "have now"), ("x" * 257, "x" * 257, "at most 256")],
)
def test_a_bad_new_password_is_shown_with_its_reason(newcomer: Browser, password: str, again: str, told: str) -> None:
    answer = newcomer.post("/password", {"password": password, "again": again})
    assert answer.status_code == 422
    assert told in answer.text


def test_changing_a_password_asks_for_the_one_now(alice: Browser) -> None:
    answer = alice.post("/password", {"current": "wrong", "password": NEW, "again": NEW})
    assert answer.status_code == 422
    assert "not your password now" in answer.text


def test_changing_a_password_logs_other_browsers_out(world: PanelWorld, alice: Browser) -> None:
    other = world.browser_of("Alice")
    alice.post("/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert (alice.get("/").status_code, other.get("/").status_code) == (200, 303)


def test_a_logged_out_session_is_worth_nothing(alice: Browser) -> None:
    token = alice.client.cookies[SESSION_COOKIE]
    alice.post("/logout")
    alice.client.cookies.set(SESSION_COOKIE, token)
    assert alice.get("/").status_code == 303


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x", ""]
)
def test_nobody_is_sent_elsewhere_after_logging_in(address: str) -> None:
    assert inner_address(address) == "/"


def test_log_ins_are_audited(world: PanelWorld, mallory: Browser) -> None:
    log_in(mallory, "Alice", "wrong")
    log_in(mallory, "Alice", PASSWORD)
    with world.appliance.store.database.engine.connect() as connection:
        audited = connection.exec_driver_sql("SELECT actor, action FROM audit ORDER BY id").all()
    assert audited == [("Alice", "log in refused"), ("Alice", "log in")]
