"""Light and dark in a real browser: kept with the account, by the device, with and without scripts, and without a flash."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, Visitor


def test_the_theme_follows_the_account_into_a_browser_without_scripts(chromium: Browser, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.get_by_label("Account of Alice").click()
    visitor.picture("menu-light")
    visitor.page.get_by_role("form", name="Theme").get_by_role("button", name="Dark").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    visitor.page.get_by_label("Account of Alice").click()
    visitor.picture("menu-dark")
    with chromium.new_context(java_script_enabled=False, viewport=PHONE, color_scheme="light") as context:
        other = Visitor(page=context.new_page(), url=visitor.url)
        other.log_in()
        expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        other.page.get_by_label("Account of Alice").click()
        other.picture("menu-phone-dark")
        other.page.get_by_role("form", name="Theme").get_by_role("button", name="Light").click()
        expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "light")
    visitor.page.reload()
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "light")


@pytest.mark.parametrize("has_scripts", [True, False])
def test_by_the_device_a_page_is_dark_where_the_device_is(chromium: Browser, visitor: Visitor, has_scripts: bool) -> None:
    with chromium.new_context(java_script_enabled=has_scripts, viewport=PHONE, color_scheme="dark") as context:
        other = Visitor(page=context.new_page(), url=visitor.url)
        other.log_in()
        other.go("/sessions")
        expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_chosen_theme_is_there_before_anything_is_drawn(visitor: Visitor) -> None:
    visitor.page.emulate_media(color_scheme="light")
    visitor.log_in()
    visitor.page.get_by_role("button", name="Switch between light and dark").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    visitor.page.route("**/*.js", lambda route: route.abort())
    visitor.forgiven = ("ERR_FAILED",)
    visitor.go("/sessions")
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
