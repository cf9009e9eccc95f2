from datetime import UTC, datetime

from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.support.web_world import PASSWORD, hashed_password

NEW = "another good passphrase"


def test_the_one_time_password_is_replaced_at_the_first_log_in(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    appliance.store.access.put_user(name="admin", password_hash=hashed_password(), role="administrator", must_change=True, now=now)
    visitor.log_in("admin")
    expect(visitor.page.get_by_role("heading", name="Choose a password")).to_be_visible()
    visitor.go("/instances")
    visitor.page.get_by_label("New password", exact=True).fill(NEW)
    visitor.page.get_by_label("New password, again").fill(NEW)
    visitor.page.get_by_role("button", name="Change password").click()
    expect(visitor.page.get_by_role("heading", name="Welcome, admin")).to_be_visible()
    visitor.leave()
    visitor.page.context.clear_cookies()
    visitor.log_in("admin", NEW)
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()


def test_the_panel_is_entered_and_left_by_keyboard_alone(visitor: Visitor) -> None:
    visitor.go("/operations")
    expect(visitor.page.get_by_label("Name")).to_be_focused()
    visitor.page.keyboard.type("Alice")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_label("Password")).to_be_focused()
    visitor.page.keyboard.type(PASSWORD)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**/operations")
    expect(visitor.page.get_by_role("heading", name="Operations")).to_be_visible()
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.page.locator("summary").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("button", name="Log out")).to_be_visible()
    visitor.page.get_by_role("button", name="Log out").focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", name="Log in")).to_be_visible()
