"""The page of the appliance itself in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_administrator_finds_what_belongs_to_the_appliance(visitor: Visitor, scheme: str) -> None:
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.log_in()
    visitor.page.get_by_label("Account of Alice").click()
    visitor.page.get_by_role("link", name="Settings").click()
    visitor.page.locator("summary", has_text="settings").click()
    visitor.picture(f"settings-{scheme}")
    visitor.page.set_viewport_size(PHONE)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture(f"settings-{scheme}-phone")
    visitor.page.get_by_role("link", name="Recovery kit").click()
    expect(visitor.page).to_have_url(re.compile("/repositories/kit$"))


def test_a_viewer_is_told_that_the_page_is_not_his(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("403",)
    visitor.log_in("Victor")
    visitor.go("/settings")
    expect(visitor.page.locator("main")).to_contain_text("administrator")
    assert appliance.store.operations.list() == []
