"""The second factor at the log-in, on its page and by the API."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote

import pytest

from appliance.domain.second_factor import code_at, make_recovery_codes, make_secret, step_of
from appliance.store.audit import AuditFilter
from appliance.web.app import create_app
from appliance.web.passwords import PATIENCE
from appliance.web.sessions import SESSION_COOKIE, TICKET_COOKIE
from appliance.web.tickets import LIFE_SECONDS
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld, client_of

STEP = timedelta(seconds=30)
SECRET = make_secret()


def code(world: PanelWorld, *, later: int = 0, secret: str = SECRET) -> str:
    return code_at(secret, step_of(world.moment) + later)


def wrong(world: PanelWorld) -> str:
    right = {code(world, later=later) for later in (-1, 0, 1)}
    return next(f"{number:06}" for number in range(4) if f"{number:06}" not in right)


def field(browser: Browser, name: str) -> str:
    return str(re.findall(rf'name="{name}" value="([^"]+)"', browser.answer.text)[0])


def send_password(browser: Browser, name: str = "Alice", address: str = "/") -> int:
    browser.answer = browser.get("/login")
    fields = {"csrf": field(browser, "csrf"), "name": name, "password": PASSWORD, "next": address}
    browser.answer = browser.client.post("/login", data=fields)
    status = browser.answer.status_code
    if browser.answer.headers.get("location", "").startswith("/login/code"):
        browser.answer = browser.get(browser.answer.headers["location"])
    return status


def send_code(browser: Browser, typed: str, **changed: str) -> int:
    fields = {name: field(browser, name) for name in ("csrf", "next")}
    browser.answer = browser.client.post("/login/code", data={**fields, "code": typed, **changed})
    return browser.answer.status_code


def shown_secret(page: str) -> str:
    return str(re.findall(r'id="secret">([^<]+)<', page)[0]).replace(" ", "")


@pytest.fixture
def codes(world: PanelWorld) -> list[str]:
    """Alice's recovery codes; she has turned it on a while ago."""
    made = make_recovery_codes()
    world.appliance.store.second_factors.turn_on("Alice", secret=SECRET, step=0, codes=made, now=NOON)
    return made


@pytest.mark.usefixtures("codes")
def test_password_and_code_open_the_page_that_was_asked_for(world: PanelWorld, mallory: Browser) -> None:
    assert send_password(mallory, address="/operations?kind=backup") == 303
    assert (SESSION_COOKIE in mallory.client.cookies, mallory.get("/").status_code) == (False, 303)
    assert send_code(mallory, code(world)) == 303
    assert (mallory.answer.headers["location"], mallory.get("/").status_code) == ("/operations?kind=backup", 200)
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="log in"))
    assert entry.detail == {"from": "127.0.0.1", "second factor": "code"}


@pytest.mark.usefixtures("codes")
def test_who_has_none_logs_in_as_before(mallory: Browser) -> None:
    assert send_password(mallory, "Oscar") == 303


@pytest.mark.usefixtures("codes")
def test_a_code_that_was_used_opens_nothing_more(world: PanelWorld, mallory: Browser) -> None:
    send_password(mallory)
    used = code(world)
    assert send_code(mallory, used) == 303
    other = world.browser_of("Mallory")
    send_password(other)
    assert send_code(other, used) == 401
    assert "wrong, or was used already" in other.answer.text
    world.moment += STEP
    assert send_code(other, code(world)) == 303


def test_a_recovery_code_opens_it_once(world: PanelWorld, mallory: Browser, codes: list[str]) -> None:
    send_password(mallory)
    assert send_code(mallory, codes[3]) == 303
    other = world.browser_of("Mallory")
    send_password(other)
    assert send_code(other, codes[3]) == 401
    assert (send_code(other, codes[4]), "<dd>8</dd>" in other.get("/second-factor").text) == (303, True)
    assert world.appliance.store.audit.list(AuditFilter(action="log in"))[0].detail["second factor"] == "recovery code"


@pytest.mark.usefixtures("codes")
def test_wrong_codes_lock_out_whatever_comes_with_a_right_password_in_between(world: PanelWorld, mallory: Browser) -> None:
    told = []
    for _ in range(PATIENCE):
        send_password(mallory)
        told.append(send_code(mallory, wrong(world)))
    assert told == [401] * PATIENCE
    assert (send_code(mallory, code(world)), "Try again in 30 seconds" in mallory.answer.text) == (429, True)
    assert send_password(mallory) == 429
    world.moment += timedelta(seconds=31)
    assert (send_password(mallory), send_code(mallory, code(world))) == (303, 303)
    user = world.appliance.store.access.find_user("Alice")
    assert user is not None
    assert user.failures == 0
    refused = world.appliance.store.audit.list(AuditFilter(action="log in refused"))
    assert sum(entry.detail.get("at") == "second factor" for entry in refused) == PATIENCE + 1


@pytest.mark.usefixtures("codes")
def test_wrong_recovery_codes_count_too(mallory: Browser) -> None:
    send_password(mallory)
    assert [send_code(mallory, make_recovery_codes()[0]) for _ in range(PATIENCE + 1)] == [401] * PATIENCE + [429]


@pytest.mark.usefixtures("codes")
def test_half_a_log_in_is_over_after_a_while_and_with_the_password(world: PanelWorld, mallory: Browser) -> None:
    send_password(mallory)
    page = mallory.answer
    world.moment += timedelta(seconds=LIFE_SECONDS + 1)
    assert (send_code(mallory, code(world)), "took too long" in mallory.answer.text) == (401, True)
    world.moment -= timedelta(seconds=LIFE_SECONDS + 1)
    world.appliance.store.access.put_user(name="Alice", password_hash="other", role="administrator", must_change=False, now=NOON)
    mallory.answer = page
    assert (send_code(mallory, code(world)), SESSION_COOKIE in mallory.client.cookies) == (401, False)


@pytest.mark.usefixtures("codes")
def test_a_code_without_half_a_log_in_of_this_browser_opens_nothing(world: PanelWorld, mallory: Browser) -> None:
    send_password(mallory)
    page, key = mallory.answer, world.appliance.store.vault.key
    assert send_code(mallory, code(world), csrf="guess") == 403
    other = world.browser_of("Mallory")
    other.answer = page
    assert (send_code(other, code(world)), SESSION_COOKIE in other.client.cookies) == (403, False)
    for made in (b"[]", b'{"user": "Alice"}', b"\xff", b"", None):
        mallory.answer = page
        mallory.client.cookies.delete(TICKET_COOKIE)
        mallory.client.cookies.set(TICKET_COOKIE, key.encrypt(made).decode() if made is not None else "guess")
        assert (send_code(mallory, code(world)), SESSION_COOKIE in mallory.client.cookies) == (401, False)


def test_the_form_for_the_code_leads_back_to_the_password_without_one(mallory: Browser) -> None:
    assert mallory.get("/login/code?next=%2Fbackups").headers["location"] == "/login?next=%2Fbackups"
    assert mallory.get("/login/code?next=//evil.example").headers["location"] == "/login?next=%2F"


@pytest.mark.usefixtures("codes")
def test_a_code_sends_nobody_elsewhere(world: PanelWorld, mallory: Browser) -> None:
    send_password(mallory)
    send_code(mallory, code(world), next="//evil.example")
    assert mallory.answer.headers["location"] == "/"


@pytest.mark.usefixtures("codes")
def test_turned_off_between_password_and_code_the_password_is_enough(world: PanelWorld, mallory: Browser) -> None:
    send_password(mallory)
    world.appliance.store.second_factors.turn_off("Alice", by="root", now=NOON)
    assert send_code(mallory, "") == 303


@pytest.mark.usefixtures("codes")
def test_a_one_time_password_asks_for_the_code_too(world: PanelWorld, mallory: Browser) -> None:
    user = world.appliance.store.access.find_user("Alice")
    assert user is not None
    world.appliance.store.access.put_user(name="Alice", password_hash=user.password_hash, role="administrator", must_change=True, now=NOON)
    send_password(mallory)
    assert (send_code(mallory, code(world)), mallory.answer.headers["location"]) == (303, "/password")


def test_it_is_turned_on_by_a_code_and_gives_its_recovery_codes_once(world: PanelWorld, alice: Browser, mallory: Browser) -> None:
    other = world.browser_of("Alice")
    page = alice.post("/second-factor/offer").text
    secret = shown_secret(page)
    assert world.appliance.store.second_factors.list() == []
    refused = alice.post("/second-factor/on", {"code": wrong(world)})
    assert (refused.status_code, secret in refused.text.replace(" ", "")) == (422, True)
    page = alice.post("/second-factor/on", {"code": code(world, secret=secret)}).text
    shown = re.findall(r"<code>([a-z2-9-]{19})</code>", page)
    kept = unquote(re.findall(r'href="data:text/plain;charset=utf-8,([^"]+)"', page)[0])
    assert (len(shown), [one in kept for one in shown], shown[0] in alice.get("/second-factor").text) == (10, [True] * 10, False)
    assert (alice.get("/").status_code, other.get("/").status_code) == (200, 303)
    send_password(mallory)
    assert send_code(mallory, code(world, secret=secret)) == 401  # it has turned it on, and was used by that
    assert send_code(mallory, shown[9]) == 303
    assert world.appliance.store.audit.list(AuditFilter(action="turn on second factor"))[0].actor == "Alice"


def test_the_secret_is_shown_as_text_as_address_and_as_qr_code(alice: Browser) -> None:
    page = alice.post("/second-factor/offer").text
    address = re.findall(r"<code>(otpauth:[^<]+)</code>", page)[0].replace("&amp;", "&")
    secret = shown_secret(page)
    assert address.startswith("otpauth://totp/CRM%20Appliance:Alice%20at%20")
    assert f"secret={secret}&issuer=CRM%20Appliance" in address
    dark, width = set(re.findall(r"M(\d+,\d+)h1v1h-1z", page)), int(re.findall(r'viewBox="-4 -4 (\d+) ', page)[-1]) - 8
    corners = {"0,0", f"{width - 7},0", f"0,{width - 7}", f"{width - 1},0", f"0,{width - 1}"}
    assert (corners <= dark, width > 20, len(dark) > width) == (True, True, True)


def test_nothing_is_turned_on_that_was_not_offered(world: PanelWorld, alice: Browser) -> None:
    assert alice.post("/second-factor/on", {"code": code(world)}).status_code == 409


def test_guessing_at_an_offer_locks_out(world: PanelWorld, alice: Browser) -> None:
    alice.post("/second-factor/offer")
    assert [alice.post("/second-factor/on", {"code": wrong(world)}).status_code for _ in range(PATIENCE + 1)] == [422] * PATIENCE + [403]


def test_an_offer_that_was_left_open_is_shown_to_nobody_later(world: PanelWorld, alice: Browser) -> None:
    secret = shown_secret(alice.post("/second-factor/offer").text)
    world.moment += timedelta(minutes=10)
    for typed in (wrong(world), code(world, secret=secret)):
        answer = alice.post("/second-factor/on", {"code": typed})
        assert (answer.status_code, "otpauth" in answer.text, 'id="secret"' in answer.text) == (401, False, False)
    assert world.appliance.store.second_factors.list() == []


def test_another_device_takes_over_with_its_first_code(world: PanelWorld, alice: Browser, codes: list[str]) -> None:
    page = alice.post("/second-factor/offer").text
    secret = shown_secret(page)
    take = world.appliance.store.second_factors.take
    assert take("Alice", code(world), now=NOON) == "code"
    alice.post("/second-factor/on", {"code": code(world, secret=secret)})
    assert (take("Alice", code(world, later=1), now=NOON), take("Alice", codes[0], now=NOON)) == ("", "")
    assert take("Alice", code(world, later=1, secret=secret), now=NOON) == "code"


def test_new_recovery_codes_take_the_place_of_the_earlier_ones(world: PanelWorld, alice: Browser, codes: list[str]) -> None:
    shown = re.findall(r"<code>([a-z2-9-]{19})</code>", alice.post("/second-factor/codes").text)
    take = world.appliance.store.second_factors.take
    assert (take("Alice", codes[0], now=NOON), take("Alice", shown[0], now=NOON)) == ("", "recovery code")


def test_everybody_turns_their_own_off_and_an_administrator_everybodys(world: PanelWorld, alice: Browser, victor: Browser) -> None:
    factors = world.appliance.store.second_factors
    for name in ("Alice", "Victor", "Oscar"):
        factors.turn_on(name, secret=SECRET, step=0, codes=[], now=NOON)
    assert ("Oscar" in alice.get("/second-factor").text, "Oscar" in victor.get("/second-factor").text) == (True, False)
    assert (victor.post("/second-factor/off/Oscar").status_code, len(factors.list())) == (403, 3)
    assert (victor.post("/second-factor/off/Victor").status_code, alice.post("/second-factor/off/Oscar").status_code) == (303, 303)
    assert [one.user for one in factors.list()] == ["Alice"]
    assert (alice.post("/second-factor/off/Oscar").status_code, alice.post("/second-factor/off/Nobody").status_code) == (404, 404)


@pytest.mark.usefixtures("codes")
def test_what_is_set_up_asks_again_who_it_is_after_ten_minutes(world: PanelWorld, alice: Browser) -> None:
    world.moment += timedelta(minutes=10)
    for end in ("offer", "codes", "off/Alice"):
        answer = alice.post(f"/second-factor/{end}")
        assert (answer.status_code, "Confirm that it is you" in answer.text) == (401, True)
    assert alice.post("/second-factor/off/Alice", {"own_password": PASSWORD}).status_code == 401
    assert len(world.appliance.store.second_factors.list()) == 1
    assert alice.post("/second-factor/off/Alice", {"own_password": PASSWORD, "own_code": code(world)}).status_code == 303
    assert world.appliance.store.second_factors.list() == []


@pytest.mark.usefixtures("codes")
def test_a_new_password_alone_does_not_stand_for_the_code(world: PanelWorld, alice: Browser) -> None:
    alice.post("/password", {"current": PASSWORD, "password": "another good passphrase", "again": "another good passphrase"})
    (session,) = world.appliance.store.access.sessions("Alice", now=NOON)
    assert (session.confirmed_at, world.appliance.store.second_factors.find("Alice") is None) == (None, False)


def test_guessing_at_the_password_now_locks_out(alice: Browser) -> None:
    fields = {"current": "wrong", "password": "another good passphrase", "again": "another good passphrase"}
    assert [alice.post("/password", fields).status_code for _ in range(PATIENCE + 1)] == [422] * PATIENCE + [429]


@pytest.mark.parametrize(("asked", "sent"), [("nobody", []), ("administrators", ["Alice"]), ("everybody", ["Alice", "Oscar", "Victor"])])
def test_whom_the_settings_ask_finds_nothing_open_until_it_is_on(world: PanelWorld, asked: str, sent: list[str]) -> None:
    settings = world.appliance.settings.model_copy(update={"second_factor_for": asked})
    app = create_app(replace(world.appliance, settings=settings), clock=lambda: world.moment)
    browsers = {name: world.browser_of(name) for name in ("Alice", "Oscar", "Victor")}
    for browser in browsers.values():
        browser.client = client_of(app, {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())})
    went = {name: {browser.get(address).headers.get("location") for address in ("/", "/backups")} for name, browser in browsers.items()}
    assert went == {name: {"/second-factor" if name in sent else None} for name in browsers}
    assert {name for name, browser in browsers.items() if "Nothing else is open" in browser.get("/second-factor").text} == set(sent)
    for name in sent:
        assert browsers[name].post("/instances/sales/backup").headers["location"] == "/second-factor"
        assert browsers[name].post("/second-factor/off/Oscar").headers["location"] == "/second-factor"
        secret = shown_secret(browsers[name].post("/second-factor/offer").text)
        assert browsers[name].post("/second-factor/on", {"code": code(world, secret=secret)}).status_code == 200
        assert browsers[name].get("/").status_code == 200
    assert world.operations() == []


def test_a_program_sets_it_up_with_the_password_and_goes_on_without_it(world: PanelWorld, mallory: Browser) -> None:
    program, address = world.program_of("Victor"), "/api/v1/second-factors"
    assert program.post(address, json={"password": "wrong"}).status_code == 422
    secret = program.post(address, json={"password": PASSWORD}).json()["secret"]
    assert program.post(f"{address}/confirmation", json={"code": wrong(world)}).status_code == 422
    told = program.post(f"{address}/confirmation", json={"code": code(world, secret=secret)}).json()["recovery_codes"]
    kept = {"codes_left": 10, "has_app": True, "passkeys": 0}
    assert program.get(address).json() == [{"user": "Victor", "since": "2026-03-02T12:00:00Z", **kept}]
    assert (len(told), send_password(mallory, "Victor")) == (10, 303)
    assert program.post(f"{address}/recovery-codes", json={"password": PASSWORD}).status_code == 422
    renewed = program.post(f"{address}/recovery-codes", json={"password": PASSWORD, "code": told[0]})
    assert len(set(renewed.json()["recovery_codes"]) - set(told)) == 10


def test_a_stolen_token_of_a_viewer_changes_nothing_of_it(world: PanelWorld) -> None:
    world.appliance.store.second_factors.turn_on("Victor", secret=SECRET, step=0, codes=[], now=NOON)
    program, address = world.program_of("Victor"), "/api/v1/second-factors"
    answers = [program.delete(f"{address}/Victor"), program.delete(f"{address}/Alice"), program.post(address, json={"password": "guess"})]
    answers += [program.post(f"{address}/confirmation", json={"code": code(world)})]
    answers += [program.post(f"{address}/recovery-codes", json={"password": "guess", "code": code(world)})]
    assert [answer.status_code for answer in answers] == [403, 403, 422, 409, 422]
    assert world.program_of("Alice").delete(f"{address}/Victor").status_code == 204
    assert world.program_of("Alice").delete(f"{address}/Victor").status_code == 404


def test_guessing_passwords_by_the_api_locks_out(world: PanelWorld) -> None:
    program = world.program_of("Victor")
    told = [program.post("/api/v1/second-factors", json={"password": "guess"}).status_code for _ in range(PATIENCE + 1)]
    assert told == [422] * PATIENCE + [403]
