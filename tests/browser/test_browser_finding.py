"""The palette: anything is found from anywhere by the keyboard alone, and without scripts by a page."""

import re

from playwright.sync_api import Browser, expect

from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.support.web_world import add_sales


def test_the_keyboard_alone_leads_anywhere(appliance: Appliance, visitor: Visitor) -> None:
    add_sales(appliance, name="desk", slot=1)
    visitor.log_in()
    visitor.go("/backups")
    page = visitor.page
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Find")
    expect(palette.get_by_role("link", name="Overview")).to_be_visible()
    expect(palette.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("desk")
    expect(palette.get_by_role("link")).to_have_count(7)
    visitor.picture("palette")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/instances/desk/restore$"))


def test_enter_goes_to_the_first_and_escape_leaves_everything(visitor: Visitor) -> None:
    visitor.log_in()
    page = visitor.page
    page.get_by_role("link", name="Find").click()
    palette = page.get_by_role("dialog", name="Find")
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("drills")
    expect(palette.get_by_role("link")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/drills$"))


def test_what_is_typed_is_shown_inert(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.type("<img src=x onerror=alert(1)>")
    expect(visitor.page.get_by_text("Nothing is called that.")).to_be_visible()
    assert visitor.page.locator("img[src=x]").count() == 0


def test_without_scripts_a_page_finds_it(chromium: Browser, visitor: Visitor) -> None:
    visitor.log_in()
    with chromium.new_context(java_script_enabled=False, storage_state=visitor.page.context.storage_state()) as context:
        page = context.new_page()
        page.goto(visitor.url)
        page.get_by_role("link", name="Find").click()
        page.get_by_label("What to find").fill("sales")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_role("link", name="Restore sales")).to_be_visible()
