"""The pages of backups: points by day, drills over time, a second place, and the recovery kit."""

from dataclasses import replace
from datetime import UTC, datetime

from playwright.sync_api import expect

from appliance.domain.repository import Repository
from appliance.domain.transfer import Transfer
from appliance.wiring import Appliance
from tests.browser.conftest import PHONE, Visitor
from tests.support.long_life import three_weeks
from tests.support.web_world import add_web1, run_operation

REST = "rest:https://nas.example.org:8000/crm/"


def test_backups_are_shown_by_day_with_what_comes_next(appliance: Appliance, visitor: Visitor) -> None:
    three_weeks(appliance, datetime.now(UTC))
    visitor.log_in()
    visitor.go("/backups")
    page = visitor.page
    expect(page.locator(".day-taken").first).to_be_visible()
    assert page.locator(".day-proven").count() >= 6
    assert page.locator(".column").count() == len(appliance.store.points.list("sales"))
    expect(page.get_by_text("Next by itself")).to_be_visible()
    expect(page.get_by_text("would be given up now")).to_be_visible()
    visitor.picture("backups")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visitor.picture("phone-backups-full")


def test_a_drill_that_took_longer_than_is_promised_is_red_and_leads_to_its_log(appliance: Appliance, visitor: Visitor) -> None:
    three_weeks(appliance, datetime.now(UTC))
    visitor.log_in()
    visitor.go("/backups")
    page = visitor.page
    page.get_by_role("link", name="Drills", exact=True).click()
    assert page.locator(".column-missed").count() == 1
    visitor.picture("drills")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_text("in service after 15 min 0 s").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Drill")


def test_a_second_place_is_added_and_the_kit_is_shown_to_print(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/backups")
    page = visitor.page
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("Name", exact=True).fill("offsite")
    page.get_by_label("Location").fill(REST)
    expect(page.get_by_label("Private key")).to_be_hidden()
    page.get_by_label("What it is").select_option("sftp")
    expect(page.get_by_label("Private key")).to_be_visible()
    page.get_by_label("What it is").select_option("rest")
    page.get_by_label("Password of that user").fill("for adding")
    visitor.picture("repository-add")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text(REST)).to_be_visible()
    appliance.store.repositories.keep_state("offsite", now=datetime.now(UTC))
    page.get_by_role("link", name="Recovery kit").click()
    page.get_by_role("button", name="Show, to print").click()
    expect(page.locator("#kit")).to_contain_text(f'location = "{REST}"')
    visitor.picture("recovery-kit")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "recovery-kit.toml"


def test_what_is_kept_elsewhere_is_said_and_taken_back(appliance: Appliance, visitor: Visitor) -> None:
    appliance.store.repositories.add(Repository(name="offsite", location=REST, created_at=datetime.now(UTC)), by="Alice")
    visitor.log_in()
    visitor.go("/backups")
    page = visitor.page
    page.get_by_role("link", name="What is kept…").click()
    page.get_by_label("Recovery points to keep").fill("daily=7 weekly=4")
    page.get_by_label("Location").fill("rest:https://nas.example.org:8001/crm/")
    page.get_by_label("Password of that user").fill("for removing")
    visitor.picture("repository-retention")
    page.get_by_role("button", name="Keep only these").click()
    expect(page.get_by_text("keeps daily=7 weekly=4")).to_be_visible()
    visitor.picture("repositories")
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("link", name="What is kept…").click()
    page.get_by_role("button", name="Keep all of them").click()
    expect(page.get_by_text("keeps daily=7 weekly=4")).to_have_count(0)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("are lost with it")).to_be_visible()


def test_a_crm_is_restored_from_elsewhere_onto_another_host(appliance: Appliance, visitor: Visitor) -> None:
    appliance.store.repositories.add(Repository(name="offsite", location=REST, created_at=datetime.now(UTC)), by="Alice")
    add_web1(appliance)
    visitor.log_in()
    visitor.go("/instances/sales/restore")
    page = visitor.page
    page.get_by_label("Read from").select_option("offsite")
    page.get_by_label("On which host").select_option("web1")
    page.get_by_label("In place of sales").check()
    expect(page.get_by_label("On which host")).to_be_hidden()
    expect(page.get_by_label("Take no safety backup")).to_be_visible()
    page.get_by_label("Beside, as a new CRM").check()
    page.get_by_label("Name of the new CRM").fill("sales-web1")
    visitor.picture("restore-elsewhere")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Restore beside")
    (operation,) = appliance.store.operations.list(kind="restore-beside")
    assert (operation.parameters["repository"], operation.parameters["host"]) == ("offsite", "web1")


def test_an_operation_that_moves_bytes_says_how_far_it_is(appliance: Appliance, visitor: Visitor) -> None:
    operation = run_operation(appliance, kind="restore", now=datetime.now(UTC))
    moved = Transfer(stage="database", bytes_done=2**28, bytes_total=2**30, bytes_per_second=2**26, seconds_left=12)
    appliance.store.operations.progress(operation.id, "preflight", 25, moved)
    visitor.log_in()
    visitor.go(f"/operations/{operation.id}")
    expect(visitor.page.get_by_text("database: 256 MiB of 1.0 GiB, 64.0 MiB/s, 12 s left")).to_be_visible()
    appliance.store.operations.progress(operation.id, "preflight", 50, replace(moved, bytes_done=2**29, seconds_left=8))
    expect(visitor.page.get_by_text("database: 512 MiB of 1.0 GiB, 64.0 MiB/s, 8 s left")).to_be_visible()
    visitor.picture("operation-moves-bytes")
