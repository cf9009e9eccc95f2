"""An administrator upgrades a real CRM from the panel and watches it to its end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.conftest import NEW, OLD, Crm
from tests.support.web_world import PASSWORD, add_people

LONGEST_UPGRADE_MS = 900_000


@pytest.fixture
def at_the_panel(crm: Crm, chromium: Browser) -> Iterator[Visitor]:
    add_people(crm.house.appliance)
    with chromium.new_context(viewport=DESKTOP) as context:
        yield Visitor(page=context.new_page(), url=f"http://{crm.house.settings.panel_listen}")


def test_an_upgrade_started_in_the_panel_can_be_watched_to_its_end(crm: Crm, at_the_panel: Visitor) -> None:
    visitor, page = at_the_panel, at_the_panel.page
    visitor.log_in(password=PASSWORD)
    visitor.go(f"/instances/{crm.name}/upgrade")
    page.get_by_label("To release").select_option(NEW)
    page.get_by_role("button", name="Upgrade").click()
    page.wait_for_url("**/operations/*")
    log = page.get_by_role("log")
    expect(log).to_contain_text("playbook release_build", timeout=LONGEST_UPGRADE_MS)
    visitor.picture("upgrade-running")
    page.reload()
    expect(log).to_contain_text("See that visitors are served", timeout=LONGEST_UPGRADE_MS)
    expect(page.locator("#state")).to_contain_text("Succeeded", timeout=LONGEST_UPGRADE_MS)
    visitor.picture("upgrade-ended")
    page.set_viewport_size(PHONE)
    visitor.picture("upgrade-ended-phone")
    visitor.go(f"/instances/{crm.name}")
    expect(page.locator("main")).to_contain_text(NEW)
    visitor.picture("instance-phone")
    page.set_viewport_size(DESKTOP)
    visitor.go("/")
    visitor.picture("overview")
    assert crm.house.records(crm.name) == crm.records
    crm.house.done("rollback", crm.name)
    assert f"Version {OLD}" in crm.house.get("/creme_login/", port=crm.port)[2]
