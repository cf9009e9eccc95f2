"""Failed log-ins from one address are limited, whoever they name; a right password from elsewhere is not hindered."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Client
from sqlalchemy import func, select
from starlette.types import Receive, Scope, Send
from uvicorn import Config

from appliance.cli.processes import listening
from appliance.domain.attempts import Limit, network_of
from appliance.store import attempts
from appliance.store.models import AttemptsRow
from appliance.wiring import open_appliance
from tests.support.web_world import NOON, PASSWORD, Browser, PanelWorld, client_of

LIMIT = Limit(failures=3, within=timedelta(minutes=10))


def at(world: PanelWorld, address: str) -> Browser:
    """A browser elsewhere, without a session."""

    async def from_there(scope: Scope, receive: Receive, send: Send) -> None:
        await world.app({**scope, "client": (address, 50_000)}, receive, send)

    return Browser(client=client_of(from_there))


def try_in(browser: Browser, name: str = "Nobody", typed: str = "wrong", at: str = "/login", **fields: str) -> int:
    token = re.findall(r'name="csrf" value="([^"]+)"', browser.get("/login").text)[0]
    browser.answer = browser.client.post(at, data={"csrf": token, "name": name, "password": typed, **fields})
    return browser.answer.status_code


def use_up(world: PanelWorld, address: str, count: int = 20) -> None:
    limit = Limit(failures=20, within=timedelta(minutes=10))
    for _ in range(count):
        world.appliance.store.attempts.count(network_of(address), "log in", limit=limit, now=world.moment)


def test_after_twenty_failures_an_address_has_to_wait_whomever_it_names(world: PanelWorld) -> None:
    stranger = at(world, "192.0.2.7")
    use_up(world, "192.0.2.7", 18)
    assert [try_in(stranger, name) for name in ("Alice", "Oscar", "Victor")] == [401, 401, 429]
    assert stranger.answer.headers["retry-after"] == "600"
    assert "Try again in 10 minutes" in stranger.answer.text
    assert try_in(stranger, "Alice", PASSWORD) == 429


def test_a_right_password_from_another_address_is_not_hindered(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7")
    assert try_in(at(world, "192.0.2.8"), "Alice", PASSWORD) == 303


def test_after_ten_minutes_the_address_may_try_again(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7")
    world.moment += timedelta(minutes=9, seconds=30)
    stranger = at(world, "192.0.2.7")
    assert (try_in(stranger, "Alice", PASSWORD), stranger.answer.headers["retry-after"]) == (429, "30")
    world.moment += timedelta(seconds=30)
    assert try_in(stranger, "Alice", PASSWORD) == 303


def test_a_clock_that_was_set_back_holds_nobody_for_longer(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7")
    world.moment -= timedelta(days=1)
    assert try_in(at(world, "192.0.2.7"), "Alice", PASSWORD) == 303


def test_whoever_logs_in_rightly_is_never_held_back(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7", 19)
    assert [try_in(at(world, "192.0.2.7"), "Alice", PASSWORD) for _ in range(3)] == [303, 303, 303]


def test_a_right_password_of_ones_own_wins_no_further_guesses(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7", 19)
    stranger = at(world, "192.0.2.7")
    assert [try_in(stranger, "Victor", PASSWORD), try_in(stranger), try_in(stranger)] == [303, 401, 429]


def test_the_addresses_of_one_ipv6_network_count_together(world: PanelWorld) -> None:
    use_up(world, "2001:db8:0:1::1")
    assert try_in(at(world, "2001:db8:0:1:ffff::9"), "Alice", PASSWORD) == 429
    assert try_in(at(world, "2001:db8:0:2::1"), "Alice", PASSWORD) == 303


@pytest.mark.parametrize("door", ["/login", "/login/passkey"])
def test_passkeys_and_codes_count_as_passwords_do(world: PanelWorld, door: str) -> None:
    use_up(world, "192.0.2.7", 19)
    stranger = at(world, "192.0.2.7")
    assert [try_in(stranger, at=door, passkey="{}", challenge="x") for _ in range(2)] == [401, 429]
    assert stranger.answer.headers["retry-after"] == "600"


def test_a_wrong_code_counts(world: PanelWorld) -> None:
    world.appliance.store.second_factors.turn_on("Alice", secret="A" * 32, step=0, codes=["x"], now=NOON)
    use_up(world, "192.0.2.7", 19)
    stranger = at(world, "192.0.2.7")
    assert try_in(stranger, "Alice", PASSWORD) == 303
    token = re.findall(r'name="csrf" value="([^"]+)"', stranger.get("/login/code").text)[0]
    answers = [stranger.client.post("/login/code", data={"csrf": token, "code": "000000"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[1].headers["retry-after"] == "600"


def program(world: PanelWorld, token: str) -> Client:
    return client_of(world.app, {"Authorization": f"Bearer {token}"})


def test_wrong_tokens_are_limited_and_right_ones_beside_them_go_on(world: PanelWorld) -> None:
    guesser, right = program(world, "appl_guess"), world.program_of("Victor")
    codes = [guesser.get("/api/v1/instances").status_code for _ in range(21)]
    assert codes == [401] * 20 + [429]
    answer = guesser.get("/api/v1/instances")
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/problem+json", "600")
    assert answer.json()["status"] == 429
    assert right.get("/api/v1/instances").status_code == 200
    assert try_in(at(world, "127.0.0.1"), "Alice", PASSWORD) == 303


def test_no_token_at_all_is_no_guess(world: PanelWorld) -> None:
    stranger = client_of(world.app)
    assert {stranger.get("/api/v1/instances").status_code for _ in range(25)} == {401}


def test_a_restart_forgets_nothing(world: PanelWorld) -> None:
    use_up(world, "192.0.2.7")
    again = open_appliance(world.appliance.settings)
    assert again.store.attempts.count("192.0.2.7", "log in", limit=LIMIT, now=NOON).ends_at == NOON + timedelta(minutes=10)


def test_many_at_once_are_counted_each(world: PanelWorld) -> None:
    store = world.appliance.store.attempts
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store.count("192.0.2.7", "log in", limit=LIMIT, now=NOON), range(24)))
    assert sum(one.ends_at is None for one in found) == LIMIT.failures


def test_the_audit_says_once_that_an_address_is_held_back(world: PanelWorld) -> None:
    stranger = at(world, "192.0.2.7")
    use_up(world, "192.0.2.7", 19)
    for _ in range(5):
        try_in(stranger)
    found = world.appliance.store.audit.list()
    assert [(one.action, one.detail["from"]) for one in found if "log" in one.action] == [
        ("log in refused", "192.0.2.7"),
        ("hold back log-ins", "192.0.2.7"),
    ]


def test_strangers_fill_no_disk(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST", 5)
    store = world.appliance.store.attempts
    for _ in range(2):
        store.count("192.0.2.1", "log in", limit=LIMIT, now=NOON)
    for number in range(2, 40):
        store.count(f"192.0.2.{number}", "log in", limit=LIMIT, now=NOON + timedelta(seconds=number))
    with world.appliance.store.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AttemptsRow)) == 5
        assert session.get_one(AttemptsRow, ("192.0.2.1", "log in")).failures == 2
    store.count("192.0.2.1", "log in", limit=LIMIT, now=NOON + timedelta(hours=1))
    with world.appliance.store.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AttemptsRow)) == 1


def test_the_settings_turn_the_limit_off(world: PanelWorld) -> None:
    panel = world.app.state.panel
    settings = world.appliance.settings.model_copy(update={"login_failures": 0})
    world.app.state.panel = replace(panel, appliance=replace(world.appliance, settings=settings))
    try:
        stranger = at(world, "192.0.2.7")
        assert {try_in(stranger) for _ in range(22)} == {401}
    finally:
        world.app.state.panel = panel


@pytest.fixture
def served(world: PanelWorld) -> Config:
    config = Config(world.app, **listening(world.appliance.settings, {}), lifespan="off")
    config.load()
    return config


def test_what_a_stranger_says_of_his_address_is_not_believed(world: PanelWorld, served: Config) -> None:
    async def from_there(scope: Scope, receive: Receive, send: Send) -> None:
        await served.loaded_app({**scope, "client": ("192.0.2.7", 50_000)}, receive, send)

    use_up(world, "192.0.2.7")
    for number in range(3):
        stranger = Browser(client=client_of(from_there, {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": "for=198.51.100.9"}))
        assert try_in(stranger, "Alice", PASSWORD) == 429


def test_the_web_server_in_front_replaces_what_a_visitor_says() -> None:
    site = (Path(__file__).parents[3] / "appliance/production/templates/panel.conf.j2").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in site
    assert "$proxy_add_x_forwarded_for" not in site
