"""How the pages look and behave in a real browser."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from appliance.domain.operation import OperationStatus
from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.support.web_world import end_operation, run_operation

PAGES = [
    "/",
    "/instances",
    "/instances/sales",
    "/instances/sales/upgrade",
    "/instances/sales/restore",
    "/instances/sales/rollback",
    "/instances/sales/remove",
    "/install",
    "/operations",
    "/operations/1",
    "/backups",
    "/monitoring",
    "/password",
    "/nothing",
]

BRIGHTNESS = """() => {
    const style = getComputedStyle(document.querySelector("#log"));
    const brightness = (color) => color.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    return [brightness(style.color), brightness(style.backgroundColor)];
}"""
"""Of text and background, each the sum of red, green and blue."""


def test_no_page_scrolls_sideways_on_a_phone(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    appliance.store.logs.add(operation.id, "x" * 500, step="a-step-with-a-rather-long-name", now=datetime.now(UTC))
    visitor.page.set_viewport_size(PHONE)
    visitor.forgiven = ("404",)  # the page that is not there
    visitor.log_in()
    widths = {}
    for address in PAGES:
        visitor.go(address)
        widths[address] = visitor.page.evaluate("document.documentElement.scrollWidth")
        visitor.picture(f"phone{address.replace('/', '-')}")
    assert widths == dict.fromkeys(PAGES, PHONE["width"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_log_is_legible_in_both_schemes(appliance: Appliance, visitor: Visitor, scheme: str) -> None:
    run_operation(appliance, now=datetime.now(UTC))
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.log_in()
    visitor.go("/operations/1")
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    brightness = visitor.page.evaluate(BRIGHTNESS)
    assert abs(brightness[0] - brightness[1]) > 380


def test_the_reader_switches_between_light_and_dark_for_good(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.page.get_by_role("button", name="Switch between light and dark").click()
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    visitor.page.reload()
    expect(visitor.page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_removing_wakes_up_only_when_the_name_is_typed(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/instances/sales/remove")
    button = visitor.page.get_by_role("button", name="Remove sales")
    expect(button).to_be_disabled()
    visitor.page.get_by_label("to confirm").fill("sales")
    button.click()
    visitor.page.wait_for_url("**/operations/1")
    assert appliance.store.operations.get(1).kind == "remove"


def test_the_restore_form_asks_only_for_what_its_choice_needs(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/instances/sales/restore")
    expect(visitor.page.get_by_label("Name of the new CRM")).to_be_visible()
    expect(visitor.page.get_by_label("to confirm")).to_be_hidden()
    visitor.page.get_by_label("In place of sales").check()
    expect(visitor.page.get_by_label("Name of the new CRM")).to_be_hidden()
    expect(visitor.page.get_by_label("to confirm")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Restore")).to_be_disabled()
    expect(visitor.page.get_by_role("button", name="What would be lost?")).to_be_enabled()
    visitor.page.get_by_label("to confirm").fill("sales")
    expect(visitor.page.get_by_role("button", name="Restore")).to_be_enabled()


def test_the_overview_follows_what_happens(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    operation = run_operation(appliance, now=datetime.now(UTC))
    expect(visitor.page.locator(".tile-running")).to_contain_text("Running")
    end_operation(appliance, operation.id, OperationStatus.SUCCEEDED, now=datetime.now(UTC))
    expect(visitor.page.locator(".tile-running")).to_have_count(0)
    visitor.picture("overview")


def test_a_refused_install_keeps_what_was_typed(visitor: Visitor) -> None:
    visitor.forgiven = ("422",)  # a refusal, as it should be
    visitor.log_in()
    visitor.go("/install")
    visitor.page.get_by_label("Name", exact=True).fill("Not A Name")
    visitor.page.get_by_label("Time zone").fill("Europe/Tallinn")
    visitor.page.get_by_role("button", name="Install").click()
    expect(visitor.page.get_by_text("cannot name an instance")).to_be_visible()
    expect(visitor.page.get_by_label("Time zone")).to_have_value("Europe/Tallinn")
    visitor.picture("install-refused")
