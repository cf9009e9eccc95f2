"""Log in by a provider: what is asked of it, whom it may let in, and above all which of its words are not believed."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response
from joserfc.jwk import OctKey, RSAKey
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.login_provider import LoginProvider, checked, read_roles
from appliance.domain.second_factor import make_secret
from appliance.errors import InvalidRequest
from appliance.store.audit import AuditFilter
from appliance.web.login_provider import CALLBACK, LIFE_SECONDS
from appliance.web.passwords import PATIENCE
from appliance.web.sessions import FLOW_COOKIE, SESSION_COOKIE
from tests.support.issuer import CLIENT, SECRET, Issuer, running_issuer
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld, client_of

HOME = "http://127.0.0.1:8470"
EMMA = {"sub": "emma-1", "preferred_username": "Emma", "email": "emma@example.org", "email_verified": True, "groups": ["staff", "crm-ops"]}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


@pytest.fixture
def provider(world: PanelWorld, issuer: Issuer) -> LoginProvider:
    """It gives operators by a claim and viewers otherwise; who comes becomes a user."""
    made = LoginProvider(
        name="Example",
        issuer=issuer.url,
        client_id=CLIENT,
        role_claim="groups",
        roles={"crm-ops": "operator", "staff": "viewer"},
        default_role="viewer",
        makes_users=True,
    )
    world.appliance.store.login_providers.put(made, secret=SECRET, by="root", now=NOON)
    return made


def visitor(world: PanelWorld) -> Browser:
    browser = Browser(client=client_of(world.app))
    browser.client.base_url = HOME
    return browser


def go(browser: Browser, address: str = "/backups", **more: str) -> dict[str, str]:
    """To the provider; gives what it is asked."""
    browser.answer = browser.client.get("/login/provider", params={"next": address, **more}, follow_redirects=False)
    assert browser.answer.status_code == 303, browser.answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(browser.answer.headers["location"]).query).items()}


def come_back(browser: Browser, issuer: Issuer, asked: dict[str, str], **changed: Any) -> Response:
    """From the provider, which says what it should, but for what is changed."""
    at = int(NOON.timestamp())
    truth = {"iss": issuer.url, "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": asked["nonce"], **EMMA}
    issuer.claims = {name: value for name, value in (truth | changed).items() if value is not None}
    browser.answer = browser.get(f"{CALLBACK}?code=c&state={asked['state']}")
    return browser.answer


def log_in(world: PanelWorld, issuer: Issuer, **changed: Any) -> Browser:
    browser = visitor(world)
    come_back(browser, issuer, go(browser), **changed)
    return browser


def refusals(world: PanelWorld) -> list[str]:
    found = world.appliance.store.audit.list(AuditFilter(action="log in refused"))
    return [str(entry.detail["why"]) for entry in found if entry.detail.get("at") == "login provider"]


@pytest.mark.usefixtures("provider")
def test_who_comes_for_the_first_time_becomes_a_user_with_the_role_of_the_claim(world: PanelWorld, issuer: Issuer) -> None:
    browser = log_in(world, issuer)
    assert (browser.answer.status_code, 'content="0; url=/backups"' in browser.answer.text) == (200, True)
    assert browser.get("/backups").status_code == 200
    user = world.appliance.store.access.find_user("Emma")
    assert user is not None
    assert user.role == "operator"
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="log in"))
    assert (entry.actor, entry.detail["provider"]) == ("Emma", issuer.url)
    assert log_in(world, issuer, sub="emma-1", preferred_username="Other").get("/").status_code == 200
    assert [one.name for one in world.appliance.store.access.users()] == ["Alice", "Emma", "Oscar", "Victor"]


def asked_of(issuer: Issuer) -> list[str]:
    return [one["path"].partition("?")[0] for one in issuer.asked]


@pytest.mark.usefixtures("provider")
def test_the_provider_says_of_itself_once_for_each_log_in(world: PanelWorld, issuer: Issuer) -> None:
    log_in(world, issuer)
    assert asked_of(issuer) == ["/.well-known/openid-configuration", "/token", "/keys", "/me"]


@pytest.mark.usefixtures("provider")
def test_what_is_too_long_for_a_cookie_is_asked_for_once_more(world: PanelWorld, issuer: Issuer) -> None:
    issuer.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_basic", "x" * 5000]}
    browser = log_in(world, issuer)
    assert (browser.answer.status_code, asked_of(issuer).count("/.well-known/openid-configuration")) == (200, 2)


@pytest.mark.usefixtures("provider")
def test_it_is_asked_with_state_nonce_and_a_verifier_that_it_sees_last(world: PanelWorld, issuer: Issuer) -> None:
    browser = visitor(world)
    asked = go(browser)
    assert (asked["response_type"], asked["client_id"], asked["redirect_uri"]) == ("code", CLIENT, HOME + CALLBACK)
    assert (asked["code_challenge_method"], len(asked["state"]) >= 32, len(asked["nonce"]) >= 32) == ("S256", True, True)
    cookie = browser.answer.headers["set-cookie"]
    assert ("HttpOnly" in cookie, "SameSite=lax" in cookie) == (True, True)
    come_back(browser, issuer, asked)
    (exchange,) = [one for one in issuer.asked if one["path"] == "/token"]
    sent = {name: values[0] for name, values in parse_qs(exchange["body"]).items()}
    digest = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).decode().rstrip("=")
    assert digest == asked["code_challenge"]
    assert exchange["login"] == "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "guess"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "another party": {"aud": [CLIENT, "other"], "azp": "other"},
    "over": {"exp": int(NOON.timestamp()) - 61},
    "without an end": {"exp": None},
    "another issuer": {"iss": "https://evil.example"},
    "from the future": {"iat": int(NOON.timestamp()) + 3600},
    "nobody": {"sub": None},
    "no text": {"sub": 7},
}


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("lie", list(LIES))
def test_a_token_that_is_not_for_this_log_in_is_refused(world: PanelWorld, issuer: Issuer, lie: str) -> None:
    browser = log_in(world, issuer, **LIES[lie])
    assert (browser.answer.status_code, "cannot be trusted" in browser.answer.text) == (401, True)
    assert (SESSION_COOKIE in browser.client.cookies, len(refusals(world))) == (False, 1)


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("forgery", ["another key", "the secret", "no signature"])
def test_a_token_that_the_provider_has_not_signed_is_refused(world: PanelWorld, issuer: Issuer, forgery: str) -> None:
    if forgery == "another key":
        issuer.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    elif forgery == "no signature":
        issuer.unsigned = True
    else:
        written: dict[str, str | list[str]] = {"kty": "oct", "k": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")}
        issuer.header, issuer.signing_key = {"alg": "HS256", "kid": "one"}, OctKey.import_key(written)
    browser = log_in(world, issuer)
    assert (browser.answer.status_code, SESSION_COOKIE in browser.client.cookies) == (401, False)


@pytest.mark.usefixtures("provider")
def test_another_state_another_browser_and_a_log_in_that_took_too_long_are_refused(world: PanelWorld, issuer: Issuer) -> None:
    browser, other = visitor(world), visitor(world)
    asked = go(browser)
    assert come_back(browser, issuer, asked | {"state": "guess"}).status_code == 401
    asked = go(browser)
    assert come_back(other, issuer, asked).status_code == 401
    world.moment += timedelta(seconds=LIFE_SECONDS + 1)
    assert come_back(browser, issuer, asked).status_code == 401
    for cookie in ("guess", "", world.appliance.store.vault.key.encrypt(b"[]").decode()):
        other.client.cookies.set(FLOW_COOKIE, cookie)
        assert come_back(other, issuer, asked).status_code == 401


@pytest.mark.usefixtures("provider")
def test_coming_back_a_second_time_opens_nothing(world: PanelWorld, issuer: Issuer) -> None:
    browser = visitor(world)
    asked = go(browser)
    assert come_back(browser, issuer, asked).status_code == 200
    assert come_back(browser, issuer, asked).status_code == 401


@pytest.mark.usefixtures("provider")
def test_the_word_of_another_person_is_not_mixed_in(world: PanelWorld, issuer: Issuer) -> None:
    issuer.userinfo = {"sub": "somebody-else", "groups": ["crm-ops"]}
    assert log_in(world, issuer).answer.status_code == 401


@pytest.mark.usefixtures("provider")
def test_what_only_the_userinfo_says_counts(world: PanelWorld, issuer: Issuer) -> None:
    issuer.userinfo = {"groups": ["crm-ops"], "preferred_username": "Emma"}
    log_in(world, issuer, groups=None, preferred_username=None)
    user = world.appliance.store.access.find_user("Emma")
    assert user is not None
    assert user.role == "operator"


def test_the_name_of_a_user_that_there_is_is_never_taken_over(world: PanelWorld, issuer: Issuer, provider: LoginProvider) -> None:
    browser = log_in(world, issuer, preferred_username="Alice")
    assert (browser.answer.status_code, "a user &#39;Alice&#39; here already" in browser.answer.text) == (409, True)
    world.appliance.store.login_providers.link(issuer=provider.issuer, subject="emma-1", user="Alice", by="root", now=NOON)
    assert log_in(world, issuer, preferred_username="Alice").get("/audit").status_code == 200
    user = world.appliance.store.access.find_user("Alice")
    assert user is not None
    assert user.role == "administrator"


@pytest.mark.usefixtures("provider")
def test_the_role_follows_the_provider_at_each_log_in(world: PanelWorld, issuer: Issuer) -> None:
    earlier = log_in(world, issuer)
    assert earlier.get("/").status_code == 200
    log_in(world, issuer, groups=["staff"])
    user = world.appliance.store.access.find_user("Emma")
    assert user is not None
    assert (user.role, earlier.get("/").status_code) == ("viewer", 303)
    (entry,) = world.appliance.store.audit.list(AuditFilter(action="change role by login provider"))
    assert entry.detail == {"from": "operator", "to": "viewer"}


def test_whom_the_settings_do_not_want_stays_outside(world: PanelWorld, issuer: Issuer, provider: LoginProvider) -> None:
    put = world.appliance.store.login_providers.put
    for stricter, changed in (
        (replace(provider, makes_users=False), {}),
        (replace(provider, default_role=""), {"groups": ["others"]}),
        (replace(provider, default_role=""), {"groups": {"crm-ops": True}}),
        (replace(provider, domains=("example.com",)), {}),
        (replace(provider, domains=("example.org",)), {"email_verified": False}),
        (replace(provider, domains=("example.org",)), {"email": "emma@example.org.evil.example"}),
    ):
        put(stricter, secret=SECRET, by="root", now=NOON)
        assert log_in(world, issuer, **changed).answer.status_code == 403
    put(replace(provider, domains=("example.org",)), secret=SECRET, by="root", now=NOON)
    assert log_in(world, issuer, email="Emma@Example.ORG").answer.status_code == 200


@pytest.mark.usefixtures("provider")
def test_a_second_factor_of_the_panel_is_asked_for_all_the_same(world: PanelWorld, issuer: Issuer) -> None:
    log_in(world, issuer)
    world.appliance.store.second_factors.turn_on("Emma", secret=make_secret(), step=0, codes=[], now=NOON)
    browser = log_in(world, issuer)
    assert ("url=/login/code" in browser.answer.text, SESSION_COOKIE in browser.client.cookies) == (True, False)
    assert "Second factor" in browser.get("/login/code").text


@pytest.mark.usefixtures("provider")
def test_what_is_grave_asks_the_provider_once_more(world: PanelWorld, issuer: Issuer) -> None:
    log_in(world, issuer)
    at = int(NOON.timestamp())
    for when, told in ((None, None), (at - 601, None), (at - 5, NOON)):
        log_in(world, issuer, auth_time=when)
        (session, *_) = world.appliance.store.access.sessions("Emma", now=NOON)
        assert session.confirmed_at == told
        with world.appliance.store.database.writing() as database:
            database.connection().exec_driver_sql("DELETE FROM sessions")
    assert {name: go(visitor(world), again="yes")[name] for name in ("prompt", "max_age")} == {"prompt": "login", "max_age": "0"}


@pytest.mark.usefixtures("provider")
def test_a_provider_that_is_down_leaves_the_password(world: PanelWorld, issuer: Issuer) -> None:
    browser = visitor(world)
    asked = go(browser)
    issuer.status = 500
    assert come_back(browser, issuer, asked).status_code == 502
    browser.answer = browser.get("/login/provider")
    assert (browser.answer.status_code, "answers 500" in browser.answer.text, 'name="password"' in browser.answer.text) == (502, True, True)
    page = browser.get("/login").text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": csrf, "name": "Alice", "password": PASSWORD}
    assert ("Log in by Example" in page, browser.client.post("/login", data=fields).status_code) == (True, 303)


@pytest.mark.usefixtures("provider")
def test_the_lockout_of_passwords_goes_on(world: PanelWorld, issuer: Issuer) -> None:
    log_in(world, issuer)
    world.appliance.store.access.note_attempt("Emma", failures=PATIENCE, locked_until=NOON + timedelta(seconds=30))
    log_in(world, issuer)
    user = world.appliance.store.access.find_user("Emma")
    assert user is not None
    assert user.failures == PATIENCE


@pytest.mark.usefixtures("provider")
def test_a_refusal_by_the_provider_is_shown_inert(world: PanelWorld) -> None:
    browser = visitor(world)
    asked = go(browser)
    answer = browser.get(f"{CALLBACK}?state={asked['state']}&error=<script>alert(1)</script>")
    assert (answer.status_code, "<script>alert" in answer.text, "&lt;script&gt;alert" in answer.text) == (401, False, True)


def test_without_a_provider_there_is_no_button_and_no_way(world: PanelWorld) -> None:
    browser = visitor(world)
    assert ("Log in by" in browser.get("/login").text, browser.get("/login/provider").status_code) == (False, 404)
    assert browser.get(CALLBACK).status_code == 401


@pytest.mark.usefixtures("provider")
def test_at_another_address_one_is_led_to_the_panels_own_first(world: PanelWorld) -> None:
    answer = world.browser_of("Mallory").get("/login/provider?next=%2Fbackups")
    assert answer.headers["location"] == f"{HOME}/login/provider?next=%2Fbackups&again="


def settings(running: Issuer, **changed: Any) -> dict[str, Any]:
    return {"name": "Example", "issuer": running.url, "client_id": CLIENT, "default_role": "viewer", "secret": SECRET, **changed}


def test_an_administrator_sets_it_on_its_page_and_the_secret_is_shown_to_nobody(world: PanelWorld, issuer: Issuer, alice: Browser) -> None:
    fields = settings(issuer, role_claim="groups", roles="crm-ops=operator\n staff = viewer", domains="Example.org, b.example")
    assert alice.post("/login-provider", fields).status_code == 303
    assert alice.post("/login-provider", fields | {"secret": "", "name": "Renamed"}).status_code == 303
    found, page = world.appliance.store.login_providers.find(), alice.get("/login-provider").text
    assert found is not None
    assert (found.name, found.roles, found.domains) == ("Renamed", {"crm-ops": "operator", "staff": "viewer"}, ("example.org", "b.example"))
    assert (world.appliance.store.login_providers.secret(), SECRET in page, HOME + CALLBACK in page) == (SECRET, False, True)
    assert SECRET not in world.appliance.settings.database_file.read_bytes().decode(errors="replace")
    assert alice.post("/login-provider/remove").status_code == 303
    assert [entry.action for entry in world.appliance.store.audit.list(AuditFilter(subject="Renamed"))] == [
        "remove login provider",
        "set login provider",
    ]


def test_setting_it_asks_again_who_it_is(world: PanelWorld, issuer: Issuer, alice: Browser) -> None:
    world.moment += timedelta(minutes=11)
    assert (alice.post("/login-provider", settings(issuer)).status_code, world.appliance.store.login_providers.find()) == (401, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"issuer": "http://login.example.org"}, "is no address of a provider"),
        ({"issuer": "https://user@login.example.org"}, "is no address of a provider"),
        ({"issuer": "https://[::1"}, "is no address of a provider"),
        ({"issuer": "http://127.0.0.1:1"}, "does not answer"),
        ({"client_id": ""}, "Say the client id"),
        ({"secret": ""}, "Say the client secret"),
        ({"default_role": ""}, "Say which role"),
        ({"default_role": "root"}, "is no role"),
        ({"role_claim": "g", "roles": "x"}, "VALUE=ROLE"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(
    world: PanelWorld, issuer: Issuer, alice: Browser, changed: dict[str, str], why: str
) -> None:
    answer = alice.post("/login-provider", settings(issuer, **changed))
    assert (answer.status_code, why in answer.text, world.appliance.store.login_providers.find()) == (422, True, None)


def test_a_provider_that_calls_itself_otherwise_or_has_no_https_is_not_set(world: PanelWorld, issuer: Issuer, alice: Browser) -> None:
    for lie in ({"issuer": "https://evil.example"}, {"token_endpoint": "http://login.example.org/token"}, {"jwks_uri": None}):
        issuer.metadata = lie
        assert alice.post("/login-provider", settings(issuer)).status_code == 422
    assert world.appliance.store.login_providers.find() is None


def test_a_program_sets_links_and_removes(world: PanelWorld, issuer: Issuer) -> None:
    program, address = world.program_of("Alice"), "/api/v1/login-provider"
    assert (program.get(address).json(), program.delete(address).status_code) == (None, 404)
    assert program.post(f"{address}/identities", json={"user": "Victor", "subject": "v"}).status_code == 404
    assert program.post(address, json=settings(issuer, roles={"x": "viewer"}, role_claim="g")).status_code == 204
    assert ("secret" in program.get(address).json(), program.get(address).json()["roles"]) == (False, {"x": "viewer"})
    told = [program.post(f"{address}/identities", json={"user": name, "subject": "a/b"}).status_code for name in ("Victor", "Oscar", "No")]
    assert told == [204, 409, 404]
    assert [one["user"] for one in program.get(f"{address}/identities").json()] == ["Victor"]
    assert [program.delete(f"{address}/identities/a/b").status_code for _ in range(2)] == [204, 404]
    assert program.delete(address).status_code == 204


def test_root_sets_and_shows_it(world: PanelWorld, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))
    (tmp_path / "secret").write_text(f"{SECRET}\n")

    def told(*argv: str) -> str:
        return CliRunner().invoke(app, ["login-provider", *argv], catch_exceptions=False).stdout

    given = ("--issuer", issuer.url, "--client-id", CLIENT, "--secret-file", str(tmp_path / "secret"), "--role-claim", "groups")
    assert "offers Single sign-on" in told("set", *given, "--role", "a=b=operator", "--make-users")
    assert world.appliance.store.login_providers.secret() == SECRET
    told("link", "Victor", "v-1")
    shown = json.loads(told("show", "--json"))
    assert (shown["provider"]["roles"], shown["identities"][0]["subject"]) == ({"a=b": "operator"}, "v-1")
    assert (SECRET in told("show"), "Nobody is known" in told("unlink", "v-1") + told("show")) == (False, True)
    told("remove")
    assert world.appliance.store.login_providers.find() is None


def test_roles_are_checked() -> None:
    with pytest.raises(InvalidRequest):
        read_roles({"": "viewer"})
    with pytest.raises(InvalidRequest):
        checked(LoginProvider(name="n", issuer="https://x.example", client_id="c", role_claim="g", roles={"a": "root"}))
