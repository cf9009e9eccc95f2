"""A link to an operation's log in a real browser: made, opened elsewhere without a log-in, revoked."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect

from appliance.domain.operation import OperationStatus
from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.support.web_world import end_operation, run_operation


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_log_is_shared_read_elsewhere_and_taken_back(chromium: Browser, appliance: Appliance, visitor: Visitor, scheme: str) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    for line in ("cloning sales to nas.example.org", "no answer of 192.0.2.7", "x" * 300):
        appliance.store.logs.add(operation.id, line, step="build", now=datetime.now(UTC))
    end_operation(appliance, operation.id, OperationStatus.FAILED, now=datetime.now(UTC), cause="sales does not answer")
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.log_in("Oscar")
    visitor.go(f"/operations/{operation.id}")
    visitor.page.get_by_role("link", name="Share…").click()
    visitor.page.get_by_label("Days that it lasts").fill("3")
    visitor.page.get_by_role("button", name="Make a link").click()
    link = visitor.page.locator("code.secret").inner_text()
    visitor.picture(f"share-{scheme}")
    with chromium.new_context(viewport=PHONE, color_scheme="dark" if scheme == "dark" else "light") as context:
        other = Visitor(page=context.new_page(), url=visitor.url)
        other.go(re.sub(r"^http://[^/]+", "", link))
        expect(other.page.locator("#log")).to_contain_text("cloning crm-1 to host-")
        expect(other.page.get_by_role("navigation")).to_have_count(0)
        assert other.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        other.picture(f"shared-{scheme}-phone")
        visitor.page.get_by_role("button", name="Revoke").click()
        expect(visitor.page.get_by_role("button", name="Revoke")).to_have_count(0)
        gone = other.page.reload()
        assert gone is not None
        assert gone.status == 404
