"""The second factor and the step-up in a real browser: with and without scripts, light, dark and on a phone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from appliance.domain.second_factor import code_at, make_recovery_codes, make_secret, step_of
from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.browser.test_browser_accessibility import WAYS, offences
from tests.support.running_panel import RunningPanel
from tests.support.web_world import PASSWORD


def code_now(secret: str, *, later: int = 0) -> str:
    return code_at(secret.replace(" ", ""), step_of(datetime.now(UTC)) + later)


def long_ago(appliance: Appliance) -> None:
    """Everybody's browser has shown long ago who it is."""
    with appliance.store.database.writing() as session:
        session.execute(text("UPDATE sessions SET confirmed_at = NULL"))


def with_second_factor(appliance: Appliance) -> str:
    secret = make_secret()
    appliance.store.second_factors.turn_on("Alice", secret=secret, step=0, codes=make_recovery_codes(), now=datetime.now(UTC))
    return secret


def look(visitor: Visitor, way: str, name: str) -> None:
    """Nothing that axe finds, nothing that scrolls sideways."""
    visitor.picture(f"{way}-{name}")
    assert offences(visitor) == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= visitor.page.evaluate("window.innerWidth")


def set_up(page: Page) -> tuple[str, list[str]]:
    """From the page of the second factor to the recovery codes; gives the secret and them."""
    page.get_by_role("button", name="Set it up").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_label("Code that the app shows now").fill(code_now(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return secret, page.locator(".recovery-codes code").all_inner_texts()


@pytest.mark.parametrize("way", list(WAYS))
def test_every_page_of_the_second_factor_is_legible_and_accessible(appliance: Appliance, visitor: Visitor, way: str) -> None:
    scheme, size = WAYS[way]
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    visitor.page.set_viewport_size(size)
    visitor.forgiven = ("401", "422")
    visitor.log_in()
    visitor.go("/second-factor")
    look(visitor, way, "second-factor-off")
    visitor.page.get_by_role("button", name="Set it up").click()
    look(visitor, way, "second-factor-offer")
    visitor.page.get_by_label("Code that the app shows now").fill("wrong")
    visitor.page.get_by_role("button", name="Turn on").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("does not belong to this secret")
    look(visitor, way, "second-factor-refused")
    visitor.page.get_by_label("Code that the app shows now").fill(code_now(visitor.page.locator("#secret").inner_text()))
    visitor.page.get_by_role("button", name="Turn on").click()
    expect(visitor.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    look(visitor, way, "second-factor-codes")
    visitor.page.get_by_role("link", name="I have kept them").click()
    look(visitor, way, "second-factor-on")
    long_ago(appliance)
    visitor.page.get_by_role("button", name="Turn off").click()
    expect(visitor.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    look(visitor, way, "confirm")
    visitor.leave()
    visitor.page.context.clear_cookies()
    visitor.log_in()
    expect(visitor.page.get_by_role("heading", name="Second factor")).to_be_visible()
    look(visitor, way, "login-code")


def test_recovery_codes_are_downloaded_and_one_of_them_opens_the_panel(visitor: Visitor, tmp_path: Path) -> None:
    visitor.log_in()
    visitor.go("/second-factor")
    _, codes = set_up(visitor.page)
    with visitor.page.expect_download() as begun:
        visitor.page.get_by_role("link", name="Download as text").click()
    begun.value.save_as(tmp_path / "codes.txt")
    kept = (tmp_path / "codes.txt").read_text()
    assert (begun.value.suggested_filename, len(codes), [code in kept.splitlines() for code in codes]) == (
        "recovery-codes.txt",
        10,
        [True] * 10,
    )
    visitor.page.context.clear_cookies()
    visitor.log_in()
    visitor.page.get_by_label("Code").fill(codes[0])
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()


def test_without_scripts_it_is_set_up_and_asked_for_all_the_same(appliance: Appliance, chromium: Browser, panel: RunningPanel) -> None:
    with chromium.new_context(java_script_enabled=False, viewport=PHONE) as context:
        visitor = Visitor(page=context.new_page(), url=panel.url)
        visitor.log_in()
        visitor.go("/second-factor")
        secret, codes = set_up(visitor.page)
        assert len(codes) == 10
        context.clear_cookies()
        visitor.log_in()
        visitor.page.get_by_label("Code").fill(code_now(secret, later=1))
        visitor.page.get_by_role("button", name="Log in", exact=True).click()
        expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()
        long_ago(appliance)
        visitor.go("/instances/sales/remove")
        visitor.page.get_by_label("to confirm").fill("sales")
        visitor.page.get_by_role("button", name="Remove sales").click()
        visitor.page.get_by_label("Your password").fill(PASSWORD)
        visitor.page.get_by_label("Code").fill(codes[0])
        visitor.page.get_by_role("button", name="Go on").click()
        visitor.page.wait_for_url("**/operations/1")
    assert appliance.store.operations.get(1).kind == "remove"


def test_a_filled_form_goes_on_after_the_step_up_by_keyboard_alone(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("401",)
    secret = with_second_factor(appliance)
    visitor.log_in()
    expect(visitor.page.get_by_label("Code")).to_be_focused()
    visitor.page.keyboard.type(code_now(secret))
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()
    long_ago(appliance)
    visitor.go("/instances/sales/restore")
    visitor.page.get_by_label("In place of sales").check()
    visitor.page.get_by_label("What", exact=True).select_option("files")
    visitor.page.get_by_label("to confirm").fill("sales")
    visitor.page.get_by_role("button", name="Restore").click()
    expect(visitor.page.get_by_label("Your password")).to_be_focused()
    visitor.page.keyboard.type(PASSWORD)
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.type(code_now(secret, later=1))
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/operations/1")
    operation = appliance.store.operations.get(1)
    assert (operation.kind, operation.parameters["only"]) == ("restore", "files")
