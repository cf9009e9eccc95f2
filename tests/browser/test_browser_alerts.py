"""The page of alerts: what fires and what to do, who is notified, and a channel that is added and tried."""

from datetime import UTC, datetime

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.support.long_life import fire
from tests.support.receivers import web_server


def test_what_fires_is_seen_and_somebody_is_told(appliance: Appliance, visitor: Visitor) -> None:
    fire(appliance, datetime.now(UTC))
    visitor.log_in()
    page = visitor.page
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_text("sales is down")).to_have_count(2)
    with web_server() as received:
        page.get_by_role("link", name="Add a channel").click()
        page.get_by_label("Name", exact=True).fill("ops")
        page.get_by_label("Address").fill(f"json://{received.address}/")
        visitor.picture("channel-add")
        page.get_by_role("button", name="Add").click()
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_text("A test was sent by ops.")).to_be_visible()
    assert received.titles() == ["[test] The appliance can notify you here"]
    visitor.picture("alerts")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture("phone-alerts-full")
