"""Passkeys at the log-in, on their page, where something grave is confirmed, and by the API: above all, what is refused."""

import html
import json
import random
import re
from datetime import timedelta

import pytest
from httpx import Response
from typer.testing import CliRunner

from appliance.cli import app
from appliance.config import Settings
from appliance.domain.passkey import MOST, Passkey, id_of
from appliance.domain.second_factor import code_at, make_secret, step_of
from appliance.store.audit import AuditFilter
from appliance.web.challenges import LIFE_SECONDS
from appliance.web.passkeys import site_of
from appliance.web.passwords import PATIENCE
from appliance.web.sessions import SESSION_COOKIE
from tests.support.soft_passkey import SoftPasskey
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld

ORIGIN = "http://localhost:8470"


def at_home(browser: Browser) -> Browser:
    """At the address that passkeys are for."""
    cookies = {cookie.name: cookie.value for cookie in browser.client.cookies.jar}
    browser.client.base_url = ORIGIN
    browser.client.cookies.clear()
    for name, value in cookies.items():
        browser.client.cookies.set(name, value or "")
    return browser


def hidden(page: str, name: str) -> str:
    return html.unescape(re.findall(rf'name="{name}" value="([^"]*)"', page)[-1])


def options(page: str) -> str:
    return html.unescape(re.findall(r'data-options="([^"]+)"', page)[-1])


def add(browser: Browser, device: SoftPasskey, name: str = "phone") -> Response:
    page = browser.get("/second-factor").text
    fields = {"name": name, "challenge": hidden(page, "challenge"), "passkey": device.made(options(page))}
    return browser.post("/second-factor/passkeys", fields)


def ask(browser: Browser) -> str:
    return browser.get("/login").text


def log_in(browser: Browser, page: str, answer: str, **changed: str) -> int:
    fields = {"csrf": hidden(page, "csrf"), "next": "/backups", "challenge": hidden(page, "challenge"), "passkey": answer, **changed}
    browser.answer = browser.client.post("/login/passkey", data=fields, follow_redirects=False)
    return browser.answer.status_code


def send_password(browser: Browser, name: str = "Alice") -> str:
    """Gives the page that asks for the second factor."""
    page = browser.get("/login").text
    browser.answer = browser.client.post("/login", data={"csrf": hidden(page, "csrf"), "name": name, "password": PASSWORD})
    return browser.get(browser.answer.headers["location"]).text


def send_passkey(browser: Browser, page: str, answer: str, **changed: str) -> int:
    fields = {"csrf": hidden(page, "csrf"), "next": "/", "challenge": hidden(page, "challenge"), "passkey": answer, **changed}
    browser.answer = browser.client.post("/login/code", data=fields, follow_redirects=False)
    return browser.answer.status_code


@pytest.fixture
def home(mallory: Browser) -> Browser:
    """A browser of a stranger, at the address that passkeys are for."""
    return at_home(mallory)


@pytest.fixture
def device(world: PanelWorld, alice: Browser) -> SoftPasskey:
    """Alice's; it is all that her second factor is made of."""
    made = SoftPasskey(origin=ORIGIN)
    assert add(at_home(alice), made).status_code == 200
    assert world.appliance.store.second_factors.find("Alice") is not None
    return made


def refusals(world: PanelWorld) -> list[str]:
    return [str(entry.detail.get("at")) for entry in world.appliance.store.audit.list(AuditFilter(action="log in refused"))]


def test_the_first_passkey_begins_a_second_factor_with_recovery_codes(world: PanelWorld, alice: Browser) -> None:
    other, device = world.browser_of("Alice"), SoftPasskey(origin=ORIGIN)
    answer = add(at_home(alice), device)
    codes = re.findall(r"<code>([a-z2-9-]{19})</code>", answer.text)
    assert (answer.status_code, len(codes), other.get("/").status_code, alice.get("/").status_code) == (200, 10, 303, 200)
    found = world.appliance.store.second_factors.find("Alice")
    assert found is not None
    assert (found.has_app, found.passkeys, found.codes_left) == (False, 1, 10)
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="add passkey"))
    assert (entry.actor, entry.detail["passkey"]) == ("Alice", "phone")


def test_a_passkey_that_knows_its_owner_opens_the_panel_alone(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    page = ask(home)
    assert json.loads(options(page))["userVerification"] == "required"
    assert json.loads(options(page))["allowCredentials"] == []
    assert (log_in(home, page, device.signed(options(page))), home.answer.headers["location"]) == (303, "/backups")
    assert home.get("/").status_code == 200
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="log in"))
    assert (entry.actor, entry.detail["second factor"]) == ("Alice", "passkey alone")
    assert world.appliance.store.passkeys.list("Alice")[0].last_used_at == NOON


def test_one_that_was_only_touched_does_not_open_it_alone(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    device.is_verified, page = False, ask(home)
    assert log_in(home, page, device.signed(options(page))) == 401
    assert (SESSION_COOKIE in home.client.cookies, refusals(world)) == (False, ["passkey"])
    page = send_password(home)
    assert send_passkey(home, page, device.signed(options(page))) == 303


def test_password_and_passkey_open_the_panel(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    page = send_password(home)
    assert [one["id"] for one in json.loads(options(page))["allowCredentials"]] == [json.loads(device.signed(options(page)))["id"]]
    assert "if no passkey is at hand" in page
    assert send_passkey(home, page, device.signed(options(page))) == 303
    assert world.appliance.store.audit.list(AuditFilter(action="log in"))[0].detail["second factor"] == "passkey"


def test_an_answer_opens_it_once(device: SoftPasskey, world: PanelWorld, home: Browser) -> None:
    page = ask(home)
    answer = device.signed(options(page))
    assert log_in(home, page, answer) == 303
    home.client.cookies.delete(SESSION_COOKIE)
    assert (log_in(home, page, answer), "answered already" in home.answer.text) == (401, True)
    assert log_in(home, page, device.signed(options(page))) == 401
    page = ask(home)
    assert log_in(home, page, device.signed(options(page))) == 303
    assert len(world.appliance.store.audit.list(AuditFilter(action="log in"))) == 2


def test_a_challenge_is_over_after_a_while_and_of_one_browser(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    page = ask(home)
    other = at_home(world.browser_of("Mallory"))
    assert log_in(other, page, device.signed(options(page)), csrf=hidden(ask(other), "csrf")) == 401
    world.moment += timedelta(seconds=LIFE_SECONDS + 1)
    assert (log_in(home, page, device.signed(options(page))), "took too long" in home.answer.text) == (401, True)


def test_a_challenge_for_one_purpose_is_none_for_another(device: SoftPasskey, alice: Browser, home: Browser) -> None:
    page = ask(home)
    asked = send_password(home)
    assert log_in(home, page, device.signed(options(asked)), challenge=hidden(asked, "challenge")) == 401
    assert send_passkey(home, asked, device.signed(options(page)), challenge=hidden(page, "challenge")) == 401
    new = alice.get("/second-factor").text
    assert log_in(home, page, device.signed(options(new)), challenge=hidden(new, "challenge")) == 401
    assert log_in(home, page, device.signed(options(page)), challenge="guess") == 401


@pytest.mark.parametrize("origin", ["http://localhost:8471", "https://localhost:8470", "http://evil.example", "http://127.0.0.1:8470"])
def test_another_origin_is_refused(device: SoftPasskey, home: Browser, origin: str) -> None:
    device.origin, page = origin, ask(home)
    assert log_in(home, page, device.signed(options(page))) == 401


def test_another_name_is_refused(device: SoftPasskey, home: Browser) -> None:
    device.site, page = "evil.example", ask(home)
    assert log_in(home, page, device.signed(options(page))) == 401


def test_another_users_passkey_is_refused_after_the_password(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    oscar = at_home(world.browser_of("Oscar"))
    add(oscar, other := SoftPasskey(origin=ORIGIN))
    page = send_password(home)
    assert send_passkey(home, page, other.signed(options(page))) == 401
    page = send_password(home)
    assert send_passkey(home, page, device.signed(options(page))) == 303


def test_a_copy_with_another_handle_or_another_key_is_refused(device: SoftPasskey, home: Browser) -> None:
    page = ask(home)
    for copy in (SoftPasskey(origin=ORIGIN, credential=device.credential), SoftPasskey(origin=ORIGIN, key=device.key, handle=b"Oscar")):
        copy.handle, copy.count = copy.handle or device.handle, 9
        copy.credential = device.credential
        assert log_in(home, page, copy.signed(options(page))) == 401


def test_a_counter_that_goes_back_is_refused_and_told_in_the_audit(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    device.count, page = 7, ask(home)
    assert log_in(home, page, device.signed(options(page))) == 303
    home.client.cookies.delete(SESSION_COOKIE)
    for count in (7, 3, -1):
        device.count, page = count, ask(home)
        assert (log_in(home, page, device.signed(options(page))), "went back" in home.answer.text) == (401, True)
    (last, *_) = world.appliance.store.audit.list(AuditFilter(action="passkey counter went back"))
    assert (last.actor, last.detail) == ("Alice", {"passkey": "phone", "counter": 0, "was": 8})


def test_one_that_counts_nothing_goes_on_counting_nothing(device: SoftPasskey, home: Browser) -> None:
    for _ in range(2):
        device.count, page = -1, ask(home)
        assert log_in(home, page, device.signed(options(page))) == 303
        home.client.cookies.delete(SESSION_COOKIE)


def test_wrong_answers_lock_out_and_a_locked_out_user_gets_in_by_no_passkey(world: PanelWorld, device: SoftPasskey, home: Browser) -> None:
    wrong = SoftPasskey(origin=ORIGIN, credential=device.credential, handle=device.handle, count=9)
    page = ask(home)
    told = [log_in(home, page, wrong.signed(options(page))) for _ in range(PATIENCE + 1)]
    assert told == [401] * PATIENCE + [429]
    assert log_in(home, page, device.signed(options(page))) == 429
    world.moment += timedelta(seconds=31)
    assert log_in(home, page, device.signed(options(page))) == 303


@pytest.mark.parametrize("answer", ["", "{", "[]", "null", '"x"', "[" * 19_000, '{"rawId": 3}', '{"rawId": "é"}', '{"response": "x"}'])
def test_hostile_answers_are_refused(device: SoftPasskey, alice: Browser, home: Browser, answer: str) -> None:
    page = ask(home)
    assert log_in(home, page, answer) == 401
    new, known = alice.get("/second-factor").text, json.loads(device.signed(options(page)))["rawId"]
    fields = {"name": "x", "challenge": hidden(new, "challenge"), "passkey": answer}
    assert alice.post("/second-factor/passkeys", fields).status_code == 422
    assert log_in(home, page, json.dumps({"rawId": known, "id": known, "type": "public-key", "response": {"clientDataJSON": "e30"}})) == 401


def test_broken_bytes_are_refused(world: PanelWorld, device: SoftPasskey, alice: Browser, home: Browser) -> None:
    page, new, dice = ask(home), alice.get("/second-factor").text, random.Random(1)  # noqa: S311 - no secret
    signed, made = device.signed(options(page)), SoftPasskey(origin=ORIGIN).made(options(new))
    for _ in range(60):
        world.appliance.store.access.note_attempt("Alice", failures=0, locked_until=None)
        world.appliance.store.attempts.give_back("127.0.0.1", "log in")
        assert log_in(home, page, spoilt(signed, dice)) == 401
        fields = {"name": "x", "challenge": hidden(new, "challenge"), "passkey": spoilt(made, dice)}
        assert alice.post("/second-factor/passkeys", fields).status_code in (303, 422)


def spoilt(answer: str, dice: random.Random) -> str:
    """One part of it, with a piece cut out or a character replaced."""
    said = json.loads(answer)
    name = dice.choice([one for one in said["response"] if one != "userHandle"])
    text = said["response"][name]
    at = dice.randrange(8, len(text) - 4)
    said["response"][name] = text[:at] + (dice.choice("Ab3_") * dice.randrange(3)) + text[at + dice.randrange(1, 9) :]
    if said["response"][name] == text:
        said["response"][name] = text[:-6]
    return json.dumps(said)


def test_a_passkey_confirms_what_is_grave(world: PanelWorld, device: SoftPasskey, alice: Browser) -> None:
    world.moment += timedelta(minutes=11)
    page = alice.post("/instances/sales/remove", {"confirmation": "sales"})
    answers = {"own_challenge": hidden(page.text, "own_challenge"), "own_passkey": device.signed(options(page.text))}
    asked = page.text
    assert (page.status_code, "Confirm that it is you" in asked, world.operations()) == (401, True, [])
    assert alice.post("/instances/sales/remove", {"confirmation": "sales", "own_password": "", **answers}).status_code == 303
    assert world.operations()[0].kind == "remove"
    assert world.appliance.store.audit.list(AuditFilter(action="confirm"))[0].detail["by"] == "passkey"


def test_one_that_was_only_touched_confirms_with_the_password_alone(world: PanelWorld, device: SoftPasskey, alice: Browser) -> None:
    world.moment += timedelta(minutes=11)
    device.is_verified = False
    for password, told in (("", 401), ("wrong", 401), (PASSWORD, 303)):
        page = alice.post("/instances/sales/remove", {"confirmation": "sales"}).text
        answers = {"own_challenge": hidden(page, "own_challenge"), "own_passkey": device.signed(options(page))}
        assert alice.post("/instances/sales/remove", {"confirmation": "sales", "own_password": password, **answers}).status_code == told


def test_a_removed_passkey_opens_nothing_and_the_last_one_takes_the_second_factor_along(
    world: PanelWorld, device: SoftPasskey, alice: Browser, home: Browser
) -> None:
    add(alice, other := SoftPasskey(origin=ORIGIN), name="key")
    assert alice.post(f"/second-factor/passkeys/Alice/{id_of(device.credential)}/remove").status_code == 303
    page = ask(home)
    assert log_in(home, page, device.signed(options(page))) == 401
    assert log_in(home, page, other.signed(options(page))) == 303
    assert world.appliance.store.second_factors.find("Alice") is not None
    assert alice.post(f"/second-factor/passkeys/Alice/{id_of(other.credential)}/remove").status_code == 303
    assert (world.appliance.store.second_factors.find("Alice"), "Log in with a passkey" in ask(home)) == (None, False)


def test_beside_an_app_the_last_passkey_leaves_the_second_factor_on(world: PanelWorld, device: SoftPasskey, alice: Browser) -> None:
    secret = make_secret()
    alice.post("/second-factor/offer")
    world.appliance.store.second_factors.turn_on("Alice", secret=secret, step=0, codes=["aaaa"], now=NOON)
    found = world.appliance.store.second_factors.find("Alice")
    assert found is not None
    assert (found.has_app, found.passkeys) == (True, 1)
    alice.post(f"/second-factor/passkeys/Alice/{id_of(device.credential)}/remove")
    assert world.appliance.store.second_factors.take("Alice", code_at(secret, step_of(NOON)), now=NOON) == "code"


def test_turning_it_off_removes_passkeys_too(world: PanelWorld, device: SoftPasskey, alice: Browser, home: Browser) -> None:
    page = ask(home)
    assert alice.post("/second-factor/off/Alice").status_code == 303
    assert (world.appliance.store.passkeys.list(), log_in(home, page, device.signed(options(page)))) == ([], 401)
    assert world.appliance.store.audit.list(AuditFilter(action="turn off second factor"))[0].detail == {"passkeys": ["phone"]}


@pytest.mark.usefixtures("device")
def test_without_an_app_no_guess_at_its_code_is_right(world: PanelWorld, home: Browser) -> None:
    page = send_password(home)
    assert (send_passkey(home, page, "", code="000000"), world.appliance.store.second_factors.take("Alice", "000000", now=NOON)) == (
        401,
        "",
    )


def test_names_are_checked_and_the_same_device_is_not_added_twice(device: SoftPasskey, alice: Browser) -> None:
    for name in ("", "x" * 65, "a\nb", "phone"):
        assert add(alice, SoftPasskey(origin=ORIGIN), name=name).status_code == 422
    assert add(alice, device, name="again").status_code == 409
    page = alice.get("/second-factor").text
    assert len(json.loads(options(page))["excludeCredentials"]) == 1


def test_there_is_an_end_to_how_many_somebody_has(world: PanelWorld, alice: Browser) -> None:
    at_home(alice)
    assert [add(alice, SoftPasskey(origin=ORIGIN), name=f"n{number}").status_code for number in range(MOST + 1)] == [200] + [303] * (
        MOST - 1
    ) + [409]
    assert len(world.appliance.store.passkeys.list("Alice")) == MOST


def test_one_made_for_another_browser_or_twice_is_refused(world: PanelWorld, alice: Browser) -> None:
    other, device = at_home(world.browser_of("Alice")), SoftPasskey(origin=ORIGIN)
    page = at_home(alice).get("/second-factor").text
    fields = {"name": "x", "challenge": hidden(page, "challenge"), "passkey": device.made(options(page))}
    assert other.post("/second-factor/passkeys", fields).status_code == 422
    assert [alice.post("/second-factor/passkeys", fields).status_code for _ in range(2)] == [200, 409]


def test_who_may_see_and_remove_them(world: PanelWorld, device: SoftPasskey, victor: Browser) -> None:
    one, address = id_of(device.credential), "/api/v1/passkeys"
    assert victor.post(f"/second-factor/passkeys/Alice/{one}/remove").status_code == 403
    assert victor.post(f"/second-factor/passkeys/Victor/{one}/remove").status_code == 404
    viewer, administrator = world.program_of("Victor"), world.program_of("Alice")
    assert (viewer.get(address).json(), viewer.delete(f"{address}/{one}").status_code) == ([], 403)
    assert [told["name"] for told in administrator.get(address).json()] == ["phone"]
    assert (administrator.delete(f"{address}/{one}").status_code, administrator.delete(f"{address}/{one}").status_code) == (204, 404)


def test_removing_one_asks_again_who_it_is(world: PanelWorld, device: SoftPasskey, alice: Browser) -> None:
    world.moment += timedelta(minutes=11)
    assert alice.post(f"/second-factor/passkeys/Alice/{id_of(device.credential)}/remove").status_code == 401
    assert add(alice, SoftPasskey(origin=ORIGIN), name="another").status_code == 401
    assert len(world.appliance.store.passkeys.list("Alice")) == 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"panel_domain": "Panel.example.org"}, ("panel.example.org", "https://panel.example.org")),
        ({"panel_listen": "127.0.0.1:8470"}, ("localhost", "http://localhost:8470")),
        ({"panel_listen": "[::1]:80"}, ("localhost", "http://localhost")),
        ({"panel_listen": "192.0.2.7:8470"}, None),
        ({"panel_listen": "0.0.0.0:8470"}, None),
        ({"panel_domain": "192.0.2.7"}, None),
    ],
)
def test_passkeys_count_where_the_settings_say(settings: dict[str, str], expected: tuple[str, str] | None) -> None:
    site = site_of(Settings(**settings))
    assert (None if site is None else (site.name, site.origin)) == expected


def test_a_page_at_another_address_says_where_they_work(device: SoftPasskey, world: PanelWorld) -> None:
    elsewhere = world.browser_of("Alice")
    page = elsewhere.get("/second-factor").text
    assert ("Passkeys work at http://localhost:8470 alone" in page, "Add a passkey" in page) == (True, False)
    assert ("phone" in page, device.count, "Log in with a passkey" in world.browser_of("Mallory").get("/login").text) == (True, 0, False)


def test_root_lists_and_removes_them(world: PanelWorld, monkeypatch: pytest.MonkeyPatch, device: SoftPasskey) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["user", *argv], catch_exceptions=False).stdout

    (one,) = json.loads(told("passkeys", "Alice", "--json"))
    assert (one["name"], one["user"], "phone" in told("passkeys")) == ("phone", "Alice", True)
    assert "1 passkeys since" in told("second-factor", "Alice")
    assert "the password alone opens the panel" in told("remove-passkey", "Alice", one["id"])
    assert (device.count, world.appliance.store.second_factors.find("Alice")) == (0, None)


def test_a_passkey_is_kept_as_it_was_made(world: PanelWorld, device: SoftPasskey) -> None:
    (kept,) = world.appliance.store.passkeys.list()
    assert isinstance(kept, Passkey)
    assert (kept.credential, kept.handle, len(kept.handle), kept.last_used_at) == (device.credential, device.handle, 32, None)
