"""The calendar of what is done by itself, and the pause of all of it, in a real browser."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from appliance.domain.schedule import ScheduleRequest, Work
from appliance.domain.window_request import WindowRequest
from appliance.operations.schedules import add_schedule
from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor


@pytest.fixture(autouse=True)
def windows(appliance: Appliance) -> None:
    for name, work, days, every in (
        ("nightly", Work.BACKUP, "MON-SUN", 0),
        ("weekly-drill", Work.DRILL, "SUN", 0),
        ("office", Work.BACKUP, "MON-FRI", 60),
    ):
        opens = WindowRequest(
            days=days, begin="07:00" if every else "02:00", minutes=720 if every else 120, time_zone="Europe/Tallinn", every=every
        )
        asked = ScheduleRequest(name=name, subject="sales", window=opens, work=work)
        add_schedule(appliance, asked, requested_by="Alice", now=datetime.now(UTC))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_calendar_is_read_and_everything_is_paused(visitor: Visitor, scheme: str) -> None:
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.log_in()
    visitor.go("/updates")
    visitor.page.get_by_text("Pause all…").click()
    visitor.page.get_by_label("Why").fill("The hall moves")
    visitor.page.get_by_label("For how long").select_option("3d")
    visitor.picture(f"pause-{scheme}")
    visitor.page.get_by_role("button", name="Pause all").click()
    expect(visitor.page.get_by_role("status").filter(has_text="All are paused")).to_contain_text("The hall moves")
    visitor.page.get_by_role("link", name="Calendar").click()
    expect(visitor.page.locator(".status", has_text="waits for nightly").first).to_be_visible()
    visitor.picture(f"calendar-{scheme}")
    visitor.page.set_viewport_size(PHONE)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture(f"calendar-{scheme}-phone")
    visitor.go("/")
    expect(visitor.page.locator("main")).to_contain_text("All schedules are paused by Alice")
    visitor.picture(f"overview-paused-{scheme}-phone")


def test_a_viewer_sees_the_calendar_and_pauses_nothing(visitor: Visitor) -> None:
    visitor.log_in("Victor")
    visitor.go("/schedules")
    expect(visitor.page.get_by_role("heading", name="Calendar")).to_be_visible()
    visitor.go("/updates")
    expect(visitor.page.get_by_text("Pause all")).to_have_count(0)
