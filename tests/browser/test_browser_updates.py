"""The fleet is patched from a form of the page Updates, and by a schedule."""

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor

PAGES = ["/updates", "/updates/fleet", "/schedules/add"]


def test_the_fleet_is_patched_from_its_form_canaries_first(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("422",)  # a refusal, as it should be
    visitor.log_in()
    visitor.go("/updates")
    visitor.page.get_by_role("link", name="Patch the fleet…").click()
    visitor.page.get_by_role("group", name="Canaries").get_by_label("sales").check()
    visitor.page.get_by_label("Stop after so many others that do not succeed").fill("0")
    visitor.page.get_by_role("button", name="Patch the fleet").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("greater than or equal to 1. Nothing was changed")
    expect(visitor.page.get_by_label("sales")).to_be_checked()
    visitor.picture("fleet-refused")
    visitor.page.get_by_label("Stop after so many others that do not succeed").fill("2")
    visitor.page.get_by_role("button", name="Patch the fleet").click()
    visitor.page.wait_for_url("**/operations/1")
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("the fleet")
    assert appliance.store.operations.get(1).parameters["canaries"] == ["sales"]


def test_the_schedule_form_asks_for_canaries_of_the_fleet_alone(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/schedules/add")
    expect(visitor.page.get_by_role("group", name="Canaries")).to_be_hidden()
    visitor.page.get_by_label("To what").select_option(label="the fleet")
    visitor.page.get_by_role("group", name="Canaries").get_by_label("sales").check()
    visitor.page.get_by_label("Name", exact=True).fill("nightly")
    visitor.page.get_by_role("button", name="Do it in these windows").click()
    visitor.page.wait_for_url("**/updates")
    assert appliance.store.schedules.get("nightly").parameters["canaries"] == ["sales"]


def test_no_page_of_updates_scrolls_sideways_on_a_phone(visitor: Visitor) -> None:
    visitor.page.set_viewport_size(PHONE)
    visitor.log_in()
    widths = {}
    for address in PAGES:
        visitor.go(address)
        widths[address] = visitor.page.evaluate("document.documentElement.scrollWidth")
        visitor.picture(f"phone{address.replace('/', '-')}")
    assert widths == dict.fromkeys(PAGES, PHONE["width"])
