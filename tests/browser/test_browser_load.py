"""The page of an operation under load: ten thousand lines a second, and a slow connection."""

import os
import time
from datetime import UTC, datetime
from typing import NoReturn

import pytest
from playwright.sync_api import expect

from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.support.running_panel import RunningPanel
from tests.support.web_world import run_operation

LINES, PER_WRITE, WRITES_PER_SECOND = 50_000, 500, 20
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  const add = (list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; };
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 500);
})"""
"""The sum of all jumps of the layout (CLS)."""
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 25_000}
"""Bytes a second and milliseconds: a poor mobile line."""


def write_lines(appliance: Appliance, operation_id: int) -> NoReturn:
    began = time.monotonic()
    try:
        for write in range(LINES // PER_WRITE):
            text = "\n".join(f"live {number}" for number in range(write * PER_WRITE, (write + 1) * PER_WRITE))
            appliance.store.logs.add(operation_id, text, step="build", now=datetime.now(UTC))
            time.sleep(max(0.0, began + (write + 1) / WRITES_PER_SECOND - time.monotonic()))
    finally:
        os._exit(0)


def test_of_ten_thousand_lines_a_second_none_is_dropped(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    expect(visitor.page.locator("#log .log-line")).to_have_count(1)
    pid = os.fork()
    if pid == 0:
        write_lines(appliance, operation.id)
    os.waitpid(pid, 0)
    expect(visitor.page.locator("#log .log-line").last).to_have_text(f"live {LINES - 1}")
    expect(visitor.page.locator("#log .log-line")).to_have_count(1000)  # what the rush has passed over is there again
    shown = visitor.page.evaluate("[...document.querySelectorAll('#log .log-line')].map((line) => Number(line.id.slice(5)))")
    earlier = int(visitor.page.locator("[data-earlier] output").inner_text())
    assert earlier + len(shown) == LINES + 1
    assert shown == list(range(shown[0], shown[-1] + 1))


@pytest.mark.parametrize("address", ["/", "/instances", "/instances/sales", "/operations", "/backups", "/monitoring"])
def test_nothing_jumps_on_a_slow_connection(visitor: Visitor, panel: RunningPanel, address: str) -> None:
    del panel
    visitor.log_in()
    visitor.leave()
    network = visitor.page.context.new_cdp_session(visitor.page)
    network.send("Network.enable")
    network.send("Network.clearBrowserCache")
    network.send("Network.emulateNetworkConditions", SLOW)
    visitor.go(address)
    expect(visitor.page.locator("main")).to_be_visible()
    assert visitor.page.evaluate(SHIFTS) < 0.02


def test_a_log_goes_on_over_a_reload_in_the_middle_of_a_slow_stream(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    visitor.log_in()
    network = visitor.page.context.new_cdp_session(visitor.page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", SLOW)
    visitor.go(f"/operations/{operation.id}")
    appliance.store.logs.add(operation.id, "\n".join(f"first {number}" for number in range(300)), step="build", now=datetime.now(UTC))
    visitor.page.reload()
    appliance.store.logs.add(operation.id, "\n".join(f"second {number}" for number in range(300)), step="build", now=datetime.now(UTC))
    lines = visitor.page.locator("#log .log-line")
    expect(lines.last).to_have_text("second 299", timeout=60_000)
    expect(lines).to_have_count(601)
    ids = visitor.page.evaluate("[...document.querySelectorAll('#log .log-line')].map((line) => Number(line.id.slice(5)))")
    assert ids == list(range(1, 602))
