"""Language and theme belong to the account: what was chosen in one browser is found in another."""

import re
from collections.abc import Iterator

import pytest

from appliance.web import choosing, themes
from appliance.web.languages import speak
from tests.support.web_world import NOON, Browser, PanelWorld, hashed_password

FINNISH = {"accept-language": "fi"}
DARK_DEVICE = {"sec-ch-prefers-color-scheme": '"dark"'}


@pytest.fixture(autouse=True)
def _as_at_the_beginning() -> Iterator[None]:
    yield
    speak("en")
    themes.wear("device", device="light")


def root(browser: Browser, address: str = "/sessions", **headers: str) -> tuple[str, str, str]:
    """Language, shade and theme of a page."""
    (found,) = re.findall(r'<html lang="(\w+)" data-bs-theme="(\w+)" data-theme="(\w+)">', browser.get(address, **headers).text)
    return found[0], found[1], found[2]


def test_what_was_chosen_follows_the_account_into_another_browser(world: PanelWorld, alice: Browser) -> None:
    elsewhere, oscar = world.browser_of("Alice"), world.browser_of("Oscar")
    alice.post("/language", {"language": "et"})
    alice.post("/theme", {"theme": "dark"})
    assert root(alice) == root(elsewhere, **FINNISH) == ("et", "dark", "dark")
    assert root(oscar) == ("en", "light", "device")


def test_a_page_without_a_log_in_keeps_the_choice_of_the_browser(alice: Browser, mallory: Browser) -> None:
    alice.post("/theme", {"theme": "dark"})
    assert root(alice, "/login") == ("en", "dark", "dark")
    assert root(mallory, "/login") == ("en", "light", "device")


def test_the_account_outweighs_the_browser_and_as_the_device_is_a_choice_too(world: PanelWorld, alice: Browser) -> None:
    alice.client.cookies.set(themes.COOKIE, "dark")
    alice.client.cookies.set(choosing.COOKIE, "fi")
    assert root(alice) == ("fi", "dark", "dark")
    world.browser_of("Alice").post("/theme", {"theme": "device"})
    assert root(alice) == ("fi", "light", "device")
    assert root(alice, **DARK_DEVICE) == ("fi", "dark", "device")


def test_pages_forms_and_refusals_wear_the_same(alice: Browser) -> None:
    alice.post("/language", {"language": "fi"})
    alice.post("/theme", {"theme": "dark"})
    assert {root(alice, address) for address in ("/", "/password", "/nothing-of-that-name", "/instances/nobody")} == {
        ("fi", "dark", "dark")
    }


@pytest.mark.parametrize("hint", ['"dark', '"dark", "light"', '">', "x" * 5000])
def test_a_hint_that_says_anything_else_is_not_believed(mallory: Browser, hint: str) -> None:
    assert root(mallory, "/login", **{"sec-ch-prefers-color-scheme": hint})[1:] in {("light", "device"), ("dark", "device")}


@pytest.mark.parametrize("theme", ["", "blue", "dark\r\nSet-Cookie: a=b", "x" * 5000])
def test_a_theme_that_there_is_not_is_refused(world: PanelWorld, alice: Browser, theme: str) -> None:
    answer = alice.post("/theme", {"theme": theme})
    assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
    user = world.appliance.store.access.find_user("Alice")
    assert user is not None
    assert user.theme == ""


def test_a_new_password_changes_nothing_of_it(world: PanelWorld, alice: Browser) -> None:
    alice.post("/theme", {"theme": "dark"})
    world.appliance.store.access.put_user(name="Alice", password_hash=hashed_password(), role="viewer", must_change=False, now=NOON)
    assert root(world.browser_of("Alice"))[1:] == ("dark", "dark")


def test_programs_are_answered_in_english(world: PanelWorld, alice: Browser) -> None:
    alice.post("/language", {"language": "fi"})
    assert world.program_of("Alice").get("/api/v1/instances/nobody").json()["title"] == "Not Found"


def test_the_switches_are_plain_forms(alice: Browser) -> None:
    page = alice.get("/").text
    assert page.count('action="/theme"') == 2
    assert re.findall(r'name="theme" value="(\w+)"', page) == ["dark", "light", "dark", "device"]
