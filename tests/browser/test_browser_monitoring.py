"""The pages of the monitor: ninety days at a glance, and every outage."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from appliance.wiring import Appliance
from monitoring.ledger import State
from tests.browser.conftest import PHONE, Visitor
from tests.support.seen_states import write_states

DAY = timedelta(days=1)
LIFE = [
    (100, State.UP),
    (40, State.DOWN),
    (40 - 1 / 24, State.UP),
    (20, State.MAINTENANCE),
    (19.9, State.UP),
    (0.02, State.DOWN),
    (0.01, State.UP),
]
"""How many days ago each state began."""


def three_months(appliance: Appliance, now: datetime) -> None:
    states = [(now - days_ago * DAY, state) for days_ago, state in [*LIFE, (0, State.UP)]]
    write_states(appliance.settings.ledger_file, "sales", states, believed=100 * DAY, reason="answered 502 instead of 200")


def test_ninety_days_at_a_glance_lead_to_every_outage(appliance: Appliance, visitor: Visitor) -> None:
    three_months(appliance, datetime.now(UTC))
    visitor.log_in()
    visitor.page.get_by_role("link", name="Monitoring").click()
    page = visitor.page
    expect(page.locator(".column")).to_have_count(90)
    assert page.locator(".column-down").count() in (2, 3, 4)  # as midnight has it
    visitor.picture("monitoring")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture("phone-monitoring-full")
    page.get_by_role("link", name="All outages").click()
    expect(page.get_by_text("answered 502 instead of 200")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Outages of sales")
    page.get_by_label("Tell its users").fill("The provider had an outage. All is well again.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(1)
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
