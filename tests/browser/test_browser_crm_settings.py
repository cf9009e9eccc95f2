"""A CRM's settings in a browser: what changes is seen before it is requested, and what is wrong stands beside its field."""

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.browser.test_browser_accessibility import WAYS, offences


def look(visitor: Visitor, name: str) -> None:
    """Nothing that axe finds, nothing that scrolls sideways; light, dark and on a phone."""
    page = visitor.page
    for way, (scheme, size) in WAYS.items():
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size(size)
        visitor.picture(f"{way}-{name}")
        assert offences(visitor) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_a_change_is_seen_before_it_is_requested(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("422",)
    visitor.log_in("Oscar")
    visitor.go("/instances/sales")
    page = visitor.page
    page.locator("a[href='/instances/sales/configure']").click()
    page.get_by_role("main").get_by_label("Language").select_option("fr")
    page.get_by_label("Time zone").fill("the moon")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_role("alert")).to_have_text("Time zone does not have the expected form. Nothing was changed.")
    expect(page.get_by_role("main").get_by_label("Language")).to_have_value("fr")
    look(visitor, "settings-wrong")
    page.get_by_label("Time zone").fill("Europe/Helsinki")
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_role("row", name="Time zone")).to_contain_text("Europe/Helsinki")
    look(visitor, "settings-preview")
    page.get_by_role("button", name="Change them").click()
    expect(page.get_by_text("Prepare a deployment with the new settings")).to_be_visible()
    look(visitor, "settings-operation")
    (operation,) = appliance.store.operations.list()
    assert operation.parameters == {"settings": {"language": "fr", "time_zone": "Europe/Helsinki"}}


def test_what_was_fixed_at_the_installation_can_only_be_read(appliance: Appliance, visitor: Visitor) -> None:
    with appliance.store.instances.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE instances SET product = 'tryton'")
    visitor.log_in("Oscar")
    visitor.go("/instances/sales/configure")
    expect(visitor.page.get_by_role("main").get_by_label("Language")).to_be_disabled()
    expect(visitor.page.get_by_text("It was chosen when the CRM was installed and cannot be changed.")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="See what changes")).to_have_count(0)
    look(visitor, "settings-fixed")


def test_a_viewer_is_not_let_in(visitor: Visitor) -> None:
    visitor.forgiven = ("403",)
    visitor.log_in("Victor")
    visitor.go("/instances/sales/configure")
    expect(visitor.page.get_by_role("heading", name="Forbidden")).to_be_visible()
