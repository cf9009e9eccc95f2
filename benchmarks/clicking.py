"""The page of an operation in a real browser while its log grows fast: how long a click waits, and whether every line is there."""

import os
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from appliance.web.sessions import SESSION_COOKIE
from appliance.wiring import Appliance
from benchmarks.figure import MeasureFailed, Say
from benchmarks.live import start_writer
from benchmarks.many import on_one_core, p95
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP
from tests.support.operating import make_appliance
from tests.support.web_world import add_people, add_sales, run_operation

CLICKS_PER_SECOND = 5
LEAST_MS = 16.0
"""Browsers tell of nothing shorter; a click that is not told of took no longer."""
WATCH = """() => {
  window.waits = [];
  const hear = (list) => { for (const one of list.getEntries()) if (one.name === "click") window.waits.push(one.duration); };
  new PerformanceObserver(hear).observe({ type: "event", durationThreshold: 16 });
}"""
"""From the press until what it did is painted, as Event Timing tells (INP is made of it)."""
SHOWN = "[...document.querySelectorAll('#log .log-line')].map((line) => Number(line.id.slice(5)))"


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """Milliseconds that clicks waited, each; seconds from the last line's writing until it was on the page."""

    waits: list[float]
    behind_seconds: float

    @property
    def p95(self) -> float:
        """All but one in twenty waited no longer."""
        return p95(self.waits)


def clicked(lines: int, seconds: float, say: Say) -> Clicked:
    """Open and close the account's menu all the time while so many lines come. Raises MeasureFailed when a line is missing."""
    in_memory = Path("/dev/shm")  # noqa: S108 - the disk is not what is measured
    with tempfile.TemporaryDirectory(prefix="benchmark-click-", dir=in_memory if in_memory.is_dir() else None) as place:
        appliance = make_appliance(Path(place))
        add_people(appliance)
        add_sales(appliance)
        operation = run_operation(appliance, now=datetime.now(UTC))
        with on_one_core(appliance) as panel, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            try:
                page = browser.new_page(viewport=DESKTOP)
                _open(page, appliance, f"{panel.url}/operations/{operation.id}")
                found = _click_while_it_is_written(page, appliance, operation.id, lines, seconds)
            finally:
                browser.close()
    say(f"{len(found.waits)} clicks waited {found.p95:.0f} ms (p95), at most {max(found.waits):.0f} ms; {lines:,} lines")
    return found


def _open(page: Page, appliance: Appliance, address: str) -> None:
    token, _ = appliance.store.access.open_session("Victor", now=datetime.now(UTC))
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page.goto(address)
    page.locator("#log .log-line").first.wait_for()
    page.evaluate(WATCH)


def _click_while_it_is_written(page: Page, appliance: Appliance, operation_id: int, lines: int, seconds: float) -> Clicked:
    button = page.locator("details.menu summary").bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
    x, y = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    pid, told = start_writer(appliance, operation_id, lines, seconds)
    clicks, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        page.mouse.click(x, y)
        clicks += 1
        page.wait_for_timeout(1000 / CLICKS_PER_SECOND)
    ended_at = float(os.read(told, 64).decode().split()[1])
    os.waitpid(pid, 0)
    os.close(told)
    page.locator("#log .log-line").last.get_by_text(f"live {lines - 1} ").wait_for()
    behind = time.monotonic() - ended_at
    _demand_every_line(page, lines)
    waits = [float(wait) for wait in page.evaluate("window.waits")]
    return Clicked(waits=[*waits, *[LEAST_MS] * (clicks - len(waits))], behind_seconds=behind)


def _demand_every_line(page: Page, lines: int) -> None:
    """The newest are on the page without a gap, and the page says how many are before them."""
    shown = page.evaluate(SHOWN)
    earlier = int(page.locator("[data-earlier] output").inner_text())
    if shown != list(range(shown[0], shown[-1] + 1)) or earlier + len(shown) != lines + 1:
        raise MeasureFailed(f"The page shows {len(shown):,} lines and counts {earlier:,} before them, of {lines + 1:,}.")
