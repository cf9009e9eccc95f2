"""The page of an operation while it runs; the test writes to the store as the worker would, from another process than the panel's."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from playwright.sync_api import expect

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.support.running_panel import RunningPanel
from tests.support.web_world import end_operation, run_operation

LONGEST_RECONNECTION_MS = 90_000
"""The browser asks again at growing intervals, and the panel takes its time to start on a busy machine."""


def log(appliance: Appliance, operation: Operation, numbers: Iterable[int]) -> None:
    for number in numbers:
        appliance.store.logs.add(operation.id, f"line {number} <b>&</b>", step="build", now=datetime.now(UTC))


def expect_lines(visitor: Visitor, count: int, *, timeout_ms: int = 20_000) -> None:
    """Each line once and in its order."""
    expected = [f"line {number} <b>&</b>" for number in range(count)]
    expect(visitor.page.locator("#log .log-line", has_text=re.compile("^line "))).to_have_text(expected, timeout=timeout_ms)


def test_the_live_log_survives_a_reload_and_ends_with_the_operation(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    log(appliance, operation, range(5))
    expect_lines(visitor, 5)
    visitor.picture("operation-running")
    visitor.page.reload()
    log(appliance, operation, range(5, 40))
    expect_lines(visitor, 40)
    end_operation(appliance, operation.id, OperationStatus.SUCCEEDED, now=datetime.now(UTC))
    expect(visitor.page.locator("#state .status")).to_have_text("Succeeded")
    expect(visitor.page.locator("[data-status=succeeded]")).to_have_count(3)
    expect(visitor.page.get_by_role("button", name="Cancel")).to_have_count(0)
    visitor.picture("operation-succeeded")


def test_the_live_log_goes_on_after_the_panel_was_killed(appliance: Appliance, panel: RunningPanel, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    log(appliance, operation, range(3))
    expect_lines(visitor, 3)
    visitor.forgiven = ("htmx:sse:error", "ERR_")  # nobody is there
    panel.stop()
    log(appliance, operation, range(3, 6))
    panel.start()
    expect_lines(visitor, 6, timeout_ms=LONGEST_RECONNECTION_MS)


def test_a_step_that_fails_is_seen_with_its_cause_as_it_happens(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    operation = run_operation(appliance, now=now)
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    appliance.store.operations.end_step(operation.id, "preflight", StepStatus.FAILED, now=now, detail="no room")
    appliance.store.operations.finish(operation.id, OperationStatus.FAILED, now=now, cause="The disk is full.", next_action="Make room.")
    verdict = visitor.page.get_by_role("alert")
    expect(verdict).to_contain_text("The disk is full.")
    expect(verdict).to_contain_text("Make room.")
    expect(visitor.page.get_by_role("button", name="Try again")).to_be_visible()
    visitor.picture("operation-failed")


def test_cancelling_is_seen_at_once(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, now=datetime.now(UTC))
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    visitor.page.get_by_role("button", name="Cancel").click()
    expect(visitor.page.get_by_text("Stopping at the next safe point")).to_be_visible()
    assert appliance.store.operations.is_cancel_requested(operation.id)
