"""The page of alerts: what fires and what to do, who is notified, and a channel that is added and tried."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from appliance.wiring import Appliance
from monitoring.rules.memory import RuleMemory
from monitoring.rules.standing import Alert, Change, Stand
from tests.browser.conftest import PHONE, Visitor
from tests.support.receivers import web_server


def fire(appliance: Appliance, now: datetime) -> None:
    """The CRM is down, and its last backup failed until a moment ago."""
    appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    memory, since, labels = RuleMemory(appliance.settings.ledger_file), (now - timedelta(minutes=7)).timestamp(), (("crm", "sales"),)
    down = Alert(rule="CrmDown", labels=labels, stand=Stand.FIRING, since_ms=0, since=since, value=0)
    failed = Alert(rule="BackupFailed", labels=labels, stand=Stand.FIRING, since_ms=0, since=since, value=1)
    memory.write([down], [Change(alert=down, fires=True), Change(alert=failed, fires=False)], at=now.timestamp())
    memory.close()


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
