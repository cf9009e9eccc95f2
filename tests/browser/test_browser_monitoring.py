"""The pages of the monitor: ninety days at a glance, and every outage."""

from datetime import UTC, datetime

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.support.long_life import a_month_of_probes, a_month_of_work, three_months
from tests.support.running_panel import RunningPanel


def test_ninety_days_at_a_glance_lead_to_every_outage(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    three_months(appliance, now, a_month_of_probes(now))
    a_month_of_work(appliance, now)
    visitor.log_in()
    visitor.page.get_by_role("link", name="Monitoring").click()
    page = visitor.page
    expect(page.locator(".bars-days .column")).to_have_count(90)
    expect(page.get_by_role("img", name="95th percentile of the last 30 days, oldest first")).to_have_count(2)
    expect(page.get_by_role("table", name="How long it took: A page")).to_contain_text("Median")
    expect(page.get_by_text("5 % of them untouched for 90 days")).to_be_visible()
    expect(page.get_by_role("img", name="People of Field sales who changed something")).to_have_count(1)
    assert page.locator(".column-down").count() in (2, 3, 4)  # as midnight has it
    visitor.picture("monitoring")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture("phone-monitoring-full")
    page.emulate_media(color_scheme="dark")
    visitor.picture("phone-monitoring-dark")
    page.set_viewport_size(DESKTOP)
    visitor.picture("monitoring-dark")
    page.emulate_media(color_scheme="light")
    page.get_by_role("link", name="All outages").click()
    expect(page.get_by_text("answered 502 instead of 200")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Outages of sales")
    page.get_by_label("Tell its users").fill("The provider had an outage. All is well again.")
    page.get_by_label("About").select_option(index=1)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(1)
    expect(page.get_by_text("The provider had an outage. All is well again.")).to_have_count(2)
    visitor.picture("outages")


def test_users_see_the_status_without_logging_in(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    three_months(appliance, now)
    appliance.store.notices.add("sales", "The provider had an outage. All is well again.", by="Alice", now=now)
    appliance.store.instances.publish("sales", wanted=True, by="Alice", now=now)
    visitor.go("/status")
    page = visitor.page
    expect(page.get_by_text("Works", exact=True)).to_be_visible()
    expect(page.locator("rect")).to_have_count(90)
    visitor.picture("status")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture("phone-status-dark")


def test_the_status_page_renews_itself(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    three_months(appliance, now)
    appliance.store.instances.publish("sales", wanted=True, by="Alice", now=now)
    visitor.page.clock.install()
    visitor.go("/status")
    appliance.store.notices.add("sales", "We look into it.", by="Alice", now=now)
    visitor.page.clock.fast_forward(61_000)
    expect(visitor.page.get_by_text("We look into it.")).to_be_visible()


def test_the_status_page_says_when_it_cannot_be_renewed(appliance: Appliance, panel: RunningPanel, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    three_months(appliance, now)
    appliance.store.instances.publish("sales", wanted=True, by="Alice", now=now)
    visitor.forgiven = ("Failed to load resource",)
    visitor.page.clock.install()
    visitor.go("/status")
    expect(visitor.page.get_by_role("alert")).to_have_count(0)
    panel.stop()
    visitor.page.clock.fast_forward(61_000)
    expect(visitor.page.get_by_role("alert")).to_contain_text("as it was then")
    panel.start()
    visitor.page.clock.fast_forward(61_000)
    expect(visitor.page.get_by_role("alert")).to_have_count(0)
