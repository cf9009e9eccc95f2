"""Make the pictures of the README anew: `python -m tests.support.pictures`. The data is made up, panel and browser are real."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from appliance.domain.instance import RecoveryPoint
from appliance.wiring import Appliance
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP
from tests.support.long_life import a_month_of_probes, a_month_of_work, three_months, three_weeks
from tests.support.operating import make_appliance
from tests.support.running_panel import running_panel
from tests.support.web_world import PASSWORD, add_people, add_sales, add_web1, run_operation

IMAGES = Path(__file__).parents[2] / "docs" / "images"
PICTURES = {"overview": "/", "backups": "/backups", "monitoring": "/monitoring", "upgrade": "/instances/sales/upgrade"}


def furnish(appliance: Appliance) -> None:
    """Two CRMs that are looked after; one of them is upgraded right now."""
    now = datetime.now(UTC)
    add_people(appliance)
    add_sales(appliance)
    add_sales(appliance, name="support", slot=1)
    add_web1(appliance)
    three_months(appliance, now, a_month_of_probes(now))
    three_weeks(appliance, now)
    a_month_of_work(appliance, now)
    point = RecoveryPoint(id="support-3", instance="support", at=now - timedelta(hours=3), repository="local", record={})
    appliance.store.points.add(point)
    appliance.store.points.prove(point.id, at=now - timedelta(hours=2), proof={})
    run_operation(appliance, instance="support", now=now)


def take(page: Page, url: str) -> None:
    """Log in and look at each page."""
    page.goto(f"{url}/login")
    page.get_by_label("Name").fill("Alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{url}/")
    for name, address in PICTURES.items():
        page.goto(f"{url}{address}")
        page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    """Start a panel over a store of its own, and take the pictures."""
    with TemporaryDirectory() as directory, sync_playwright() as playwright:
        appliance = make_appliance(Path(directory))
        furnish(appliance)
        panel = running_panel(appliance)
        panel.start()
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            take(browser.new_page(viewport=DESKTOP, color_scheme="light"), panel.url)
            browser.close()
        finally:
            panel.stop()


if __name__ == "__main__":
    main()
