"""What people come to a page for, where no other file has it: a form that requests, a list that leads on, somebody let in or out."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.domain.tls import Tls, TlsMode
from appliance.operations.channels import add_channel
from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.browser.test_browser_accessibility import offences
from tests.support.held_files import hold_files
from tests.support.receivers import web_server
from tests.support.web_world import add_web1, end_operation, run_operation


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A form, what is filled in by its labels, and the operation that is requested."""

    address: str
    button: str
    kind: str
    typed: dict[str, str] = field(default_factory=dict)


ERRANDS = [
    Errand(address="/instances/sales/upgrade", button="Upgrade", kind="upgrade"),
    Errand(address="/instances/sales/upgrade", button="Rehearse only", kind="rehearse"),
    Errand(address="/instances/sales/rollback", button="Roll back", kind="rollback", typed={"to confirm": "sales"}),
    Errand(address="/instances/sales/certificate", button="Go on", kind="certificate"),
    Errand(address="/install", button="Install Creme", kind="install", typed={"Name": "desk"}),
    Errand(address="/backups/gone/restore", button="Bring back", kind="restore-beside"),
]


@pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.kind)
def test_a_form_requests_its_operation(appliance: Appliance, visitor: Visitor, errand: Errand) -> None:
    appliance.store.instances.protect("sales", Tls(mode=TlsMode.PRIVATE_CA))
    appliance.store.points.add(RecoveryPoint(id="gone-1", instance="gone", at=datetime.now(UTC), repository="local", record={}))
    visitor.enter(appliance)
    visitor.go(errand.address)
    for label, value in errand.typed.items():
        visitor.page.locator("main").get_by_label(label, exact=label == "Name").fill(value)
    visitor.page.locator("main").get_by_role("button", name=errand.button).click()
    visitor.page.wait_for_url("**/operations/1")
    assert appliance.store.operations.get(1).kind == errand.kind


def test_lists_lead_to_what_they_list(appliance: Appliance, visitor: Visitor) -> None:
    now = datetime.now(UTC)
    end_operation(appliance, run_operation(appliance, now=now).id, OperationStatus.FAILED, now=now, cause="The disk is full.")
    end_operation(appliance, run_operation(appliance, kind="backup", now=now).id, OperationStatus.SUCCEEDED, now=now)
    visitor.enter(appliance, "Victor")
    visitor.go("/operations")
    expect(visitor.page.locator("main a.list-row")).to_have_count(2)
    visitor.page.get_by_label("Kind").select_option("backup")
    visitor.page.wait_for_url("**kind=backup**")
    visitor.page.locator("main a.list-row").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("Backup")
    visitor.go("/instances")
    visitor.page.get_by_role("link", name="sales").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("sales")


def test_a_crm_is_backed_up_and_closed_from_its_page(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance, "Oscar")
    visitor.go("/instances/sales")
    visitor.page.get_by_role("button", name="Back up now").click()
    visitor.page.wait_for_url("**/operations/1")
    appliance.store.operations.finish(1, OperationStatus.SUCCEEDED, now=datetime.now(UTC))
    visitor.go("/instances/sales")
    visitor.page.get_by_label("What its users are told").fill("We move. Back at noon.")
    visitor.page.get_by_role("button", name="Close to users").click()
    visitor.page.wait_for_url("**/operations/2")
    kinds = {one.kind: one.parameters for one in appliance.store.operations.list()}
    assert (list(kinds), kinds["maintenance"]["message"]) == (["maintenance", "backup"], "We move. Back at noon.")


def test_another_browser_is_logged_out(appliance: Appliance, chromium: Browser, visitor: Visitor) -> None:
    visitor.enter(appliance)
    with chromium.new_context() as context:
        other = Visitor(page=context.new_page(), url=visitor.url)
        other.log_in()
        visitor.go("/sessions")
        visitor.page.get_by_role("button", name="Log all others out").click()
        expect(visitor.page.get_by_role("button", name="Log all others out")).to_have_count(0)
        other.go("/backups")
        expect(other.page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_viewer_is_let_operate_one_crm_and_no_longer(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance)
    visitor.go("/users")
    visitor.page.get_by_label("CRM that Victor is to operate").select_option("sales")
    visitor.page.get_by_role("button", name="Let Victor operate it").click()
    expect(visitor.page.get_by_role("button", name="Victor no longer operates sales")).to_be_visible()
    assert list(appliance.store.grants.of("Victor")) == ["sales"]
    visitor.picture("users-granted")
    visitor.page.get_by_role("button", name="Victor no longer operates sales").click()
    expect(visitor.page.get_by_role("button", name="Victor no longer operates sales")).to_have_count(0)
    assert list(appliance.store.grants.of("Victor")) == []


def test_a_user_is_added_given_another_role_and_removed(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance)
    visitor.go("/users")
    visitor.page.get_by_label("Name", exact=True).fill("Erika")
    visitor.page.get_by_label("Role", exact=True).select_option("operator")
    visitor.page.get_by_role("button", name="Add", exact=True).click()
    expect(visitor.page.get_by_text("The one-time password of Erika, shown this once:")).to_be_visible()
    visitor.page.get_by_label("Change Erika").click()
    visitor.picture("users-added")
    assert offences(visitor) == []
    visitor.page.get_by_label("Role of Erika").select_option("viewer")
    visitor.page.get_by_role("button", name="Change the role").locator("visible=true").click()
    visitor.page.get_by_label("Change Erika").click()
    visitor.page.get_by_role("button", name="Remove").locator("visible=true").click()
    expect(visitor.page.get_by_text("Erika")).to_have_count(0)
    assert appliance.store.access.find_user("Erika") is None


def test_a_token_is_issued_shown_once_and_revoked(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance)
    visitor.go("/tokens")
    visitor.page.get_by_label("What it is for").fill("cron")
    visitor.page.get_by_label("Whose rights it carries").select_option("Oscar")
    visitor.page.get_by_role("button", name="Issue", exact=True).click()
    expect(visitor.page.get_by_text("The token cron, shown this once:")).to_be_visible()
    visitor.picture("token-issued")
    assert offences(visitor) == []
    assert [(one.user, one.scope) for one in appliance.store.tokens.list()] == [("Oscar", "viewer")]
    visitor.page.get_by_role("button", name="Revoke cron").click()
    expect(visitor.page.get_by_text("No token was issued.")).to_be_visible()
    assert appliance.store.tokens.list() == []


def test_a_program_is_told_by_a_webhook(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance)
    visitor.go("/webhooks")
    visitor.page.get_by_role("link", name="Add a webhook").click()
    with web_server() as received:
        visitor.page.get_by_label("Name", exact=True).fill("desk")
        visitor.page.get_by_label("Address").fill(f"http://{received.address}/hook")
        visitor.page.get_by_role("button", name="Add").click()
        expect(visitor.page.get_by_text("The secret of desk, shown this once:")).to_be_visible()
        visitor.picture("webhook-secret")
        visitor.page.get_by_role("button", name="Test").click()
        expect(visitor.page.get_by_role("status")).to_have_text("The test of desk arrived.")
    assert len(received.sent) == 1
    visitor.page.reload()
    visitor.picture("webhooks-delivered")
    visitor.go("/webhooks")
    visitor.page.get_by_role("button", name="Forget").click()
    expect(visitor.page.get_by_text("No program is told what happens.")).to_be_visible()


def test_a_product_leads_to_its_installation(appliance: Appliance, visitor: Visitor) -> None:
    visitor.enter(appliance)
    visitor.go("/instances")
    visitor.page.get_by_role("link", name="Products").first.click()
    visitor.page.get_by_role("link", name="Creme CRM").click()
    expect(visitor.page.get_by_text("Can somebody log in and work?")).to_be_visible()
    assert offences(visitor) == []
    visitor.page.get_by_role("link", name="Install…").click()
    visitor.page.wait_for_url("**/install?product=creme")


def test_a_secret_is_replaced_and_none_is_shown(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("422",)
    add_channel(appliance, name="ops", url="json://127.0.0.1/hush", requested_by="Alice", now=datetime.now(UTC))
    visitor.enter(appliance)
    visitor.go("/secrets")
    assert "hush" not in visitor.page.content()
    visitor.page.get_by_role("link", name="Replace…").click()
    visitor.page.get_by_label("Address").fill("nowhere")
    visitor.page.get_by_role("button", name="Replace").click()
    expect(visitor.page.locator(".invalid-feedback")).to_contain_text("This is no address")
    assert "nowhere" not in visitor.page.content()
    visitor.page.get_by_label("Address").fill("json://127.0.0.1/other")
    visitor.page.get_by_role("button", name="Replace").click()
    expect(visitor.page.get_by_role("status")).to_have_text("It was replaced; the audit says by whom.")
    assert appliance.store.vault.get("channel:ops", "url") == "json://127.0.0.1/other"


def test_what_is_for_administrators_is_read_and_downloaded(appliance: Appliance, visitor: Visitor, tmp_path: Path) -> None:
    visitor.enter(appliance)
    visitor.go("/support")
    with visitor.page.expect_download() as bundle:
        visitor.page.get_by_role("link", name="Download").click()
    bundle.value.save_as(tmp_path / "bundle.tar.gz")
    assert (tmp_path / "bundle.tar.gz").read_bytes()[:2] == b"\x1f\x8b"
    visitor.go("/audit")
    visitor.page.get_by_role("textbox", name="What", exact=True).fill("support bundle")
    visitor.page.get_by_role("button", name="Filter").click()
    expect(visitor.page.locator("main .list-row")).to_have_count(1)
    with visitor.page.expect_download() as export:
        visitor.page.get_by_role("link", name="Export").click()
    assert json.loads(export.value.path().read_text().splitlines()[0])["action"] == "support bundle"
    visitor.page.get_by_role("button", name="Verify every entry").click()
    expect(visitor.page.get_by_role("status")).to_contain_text("The audit is whole")


def test_a_file_is_restored_beside(appliance: Appliance, visitor: Visitor, tmp_path: Path) -> None:
    visitor.forgiven = ("422",)
    hold_files(appliance, tmp_path / "uploads")
    add_web1(appliance)
    visitor.enter(appliance)
    visitor.go("/backups/sales/files?path=2026")
    visitor.page.get_by_role("link", name="Restore").first.click()
    visitor.page.get_by_label("To where they were").check()
    expect(visitor.page.get_by_role("button", name="Restore")).to_be_disabled()
    visitor.picture("files-restore")
    assert offences(visitor) == []
    visitor.page.get_by_label("Beside, into a directory of their own").check()
    visitor.page.get_by_role("button", name="Restore").click()
    visitor.page.wait_for_url("**/operations/1")
    assert appliance.store.operations.get(1).kind == "restore-files"
