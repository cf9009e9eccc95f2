"""What hostile people have stored is shown inert: no script runs, no dialog opens, and the browser has nothing to complain of."""

from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Dialog, expect

from appliance.domain.operation import OperationStatus
from appliance.domain.snooze import Snooze
from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.support.doors import SEEN_BY_ALL, fill
from tests.support.hostile import hostile_values
from tests.support.web_world import add_web1, end_operation, run_operation

KEPT_OUT = {"surrogate", "long", "longer"}
"""Nothing that stores text takes these."""
PAGES = [address for address in SEEN_BY_ALL if not address.endswith((".txt", ".pem"))]


def store_everywhere(appliance: Appliance, value: str) -> None:
    """Into whatever people, hosts and CRMs can bring to a page, past all checks of what is typed."""
    store, now = appliance.store, datetime.now(UTC)
    store.notices.add("sales", value, by=value, now=now)
    store.access.audit(actor=value, action=value, subject=value, detail={"said": value}, now=now)
    store.snoozes.put(Snooze(key=f"sales.{value}", until=now, by=value, at=now), subject=value)
    operation = run_operation(appliance, now=now)
    store.operations.remember(operation.id, {"said": value})
    store.logs.add(operation.id, value, step=value, now=now)
    end_operation(appliance, operation.id, OperationStatus.FAILED, now=now, cause=value)


def test_what_is_stored_does_nothing_in_a_browser(appliance: Appliance, visitor: Visitor, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    add_web1(appliance)
    for what, value in hostile_values(canary).items():
        if what not in KEPT_OUT:
            store_everywhere(appliance, value)
    dialogs: list[str] = []

    def hear(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    visitor.page.on("dialog", hear)
    visitor.log_in()
    for address in [*PAGES, "/audit"]:
        visitor.go(fill(address))
        expect(visitor.page.locator("main")).to_be_visible()
        assert visitor.page.locator("img[src=x], main script").count() == 0, address
    assert (dialogs, canary.exists()) == ([], False)
