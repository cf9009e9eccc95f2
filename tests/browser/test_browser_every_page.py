"""What is alike on all pages, by their table: refusals, forms that are filled in wrongly, and a reload of what follows something."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.domain.repository import Repository
from appliance.domain.tls import Tls, TlsMode
from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.browser.page_tests import PAGES, WHO_MAY_NOT, WRONG, Wrong
from tests.support.doors import fill
from tests.support.running_panel import RunningPanel
from tests.support.web_world import add_web1, end_operation, run_operation

COMES_AND_GOES = {"sessions"}
"""Who looks at a page was there."""


@pytest.fixture(autouse=True)
def world(appliance: Appliance) -> None:
    """Something at each address: a host, a repository elsewhere, a removed CRM, a certificate of the appliance's own authority."""
    now = datetime.now(UTC)
    add_web1(appliance)
    store = appliance.store
    store.repositories.add(Repository(name="sales", location="rest:https://nas.example.org:8000/crm/", created_at=now), by="Alice")
    store.vault.put("repository:sales", "credential-RESTIC_REST_PASSWORD", "hush")
    store.points.add(RecoveryPoint(id="gone-1", instance="gone", at=now - timedelta(hours=3), repository="local", record={}))
    store.instances.protect("sales", Tls(mode=TlsMode.PRIVATE_CA))


def at(address: str) -> str:
    """Of a CRM that is gone where only such a one has the page."""
    return "/backups/gone/restore" if address == "/backups/{name}/restore" else fill(address)


def held(appliance: Appliance) -> list[str]:
    """Everything that the store remembers."""
    with closing(sqlite3.connect(appliance.settings.database_file)) as store:
        return [line for line in store.iterdump() if line.split('"')[1:2] not in [[table] for table in COMES_AND_GOES]]


def what_is_told(page: Page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize("name", ["Mallory", "Victor", "Oscar"])
def test_who_may_not_is_refused_and_nothing_changes(appliance: Appliance, visitor: Visitor, name: str) -> None:
    visitor.forgiven = ("403",)
    run_operation(appliance)
    if name != "Mallory":
        visitor.enter(appliance, name)
    before = held(appliance)
    for address in [one for one, who in WHO_MAY_NOT.items() if who == name]:
        visitor.go(at(address))
        if name == "Mallory":
            expect(visitor.page.get_by_role("heading", name="Log in"), address).to_be_visible()
        else:
            expect(visitor.page.get_by_role("heading", name="Forbidden"), address).to_be_visible()
            expect(visitor.page.locator("main"), address).to_contain_text(f"{name} is a")
            expect(visitor.page.locator("main form"), address).to_have_count(0)
            expect(visitor.page.get_by_role("link", name="To the overview"), address).to_be_visible()
    assert held(appliance) == before


def fill_in(page: Page, wrong: Wrong) -> None:
    """Type it as somebody would, and press the button."""
    for name, value in wrong.chosen.items():
        page.locator(f"main [name='{name}'][value={value}]").check()
    for name, value in wrong.typed.items():
        page.locator(f"main [name='{name}']:not([type=hidden])").fill(value)
    page.locator("main").get_by_role("button", name=wrong.button).first.click()


@pytest.mark.parametrize("address", list(WRONG))
def test_an_invalid_form_comes_back_filled_with_its_fault_focused(appliance: Appliance, visitor: Visitor, address: str) -> None:
    visitor.forgiven, wrong = ("422",), WRONG[address]
    visitor.enter(appliance)
    visitor.go(at(address).removesuffix("/verification"))
    before = held(appliance)
    fill_in(visitor.page, wrong)
    field = visitor.page.locator(f"main [name='{wrong.at}']:not([type=hidden])")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(visitor.page.locator(f"[id='{field.get_attribute('aria-describedby')}']")).to_contain_text(wrong.says, ignore_case=True)
    kept = {name: visitor.page.locator(f"main [name='{name}']:not([type=hidden])").input_value() for name in wrong.typed}
    assert kept == {name: "" if name in wrong.secret else value for name, value in wrong.typed.items()}
    assert held(appliance) == before
    visitor.picture(f"wrong{address.replace('/', '-')}")


@pytest.mark.parametrize("address", ["/instances/sales/rollback", "/instances/sales/remove", "/hosts/web1/remove"])
def test_a_wrong_name_is_refused_without_scripts_too(appliance: Appliance, chromium: Browser, panel: RunningPanel, address: str) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        visitor = Visitor(page=context.new_page(), url=panel.url)
        visitor.enter(appliance)
        visitor.go(address)
        before = held(appliance)
        visitor.page.get_by_label("to confirm").fill("another")
        visitor.page.locator("main form [type=submit]").click()
        expect(visitor.page.get_by_label("to confirm")).to_have_class("form-control is-invalid")
        expect(visitor.page.get_by_role("alert")).to_contain_text("This is not the name.")
        assert held(appliance) == before


def test_a_wrong_password_says_so_and_keeps_the_name(visitor: Visitor) -> None:
    visitor.forgiven = ("401", "403", "422")
    visitor.go("/login")
    visitor.page.get_by_label("Name").fill("Alice")
    visitor.page.get_by_label("Password").fill("guess")
    visitor.page.get_by_role("button", name="Log in", exact=True).click()
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    expect(visitor.page.get_by_label("Name")).to_have_value("Alice")
    expect(visitor.page.get_by_label("Password")).to_be_focused()
    visitor.picture("login-refused")


FOLLOWING = [address for address, row in PAGES.items() if row.reload == "test_a_page_that_follows_goes_on_after_a_reload"]


@pytest.mark.parametrize("address", FOLLOWING)
def test_a_page_that_follows_goes_on_after_a_reload(appliance: Appliance, visitor: Visitor, address: str) -> None:
    visitor.enter(appliance)
    visitor.go(fill(address))
    subject = "host:web1" if "/hosts/" in address else "sales"
    operation = run_operation(appliance, instance=subject, now=datetime.now(UTC))
    visitor.page.reload()
    expect(visitor.page.locator(".tile-running")).to_contain_text("Running")
    end_operation(appliance, operation.id, OperationStatus.SUCCEEDED, now=datetime.now(UTC))
    expect(visitor.page.locator(".tile-running")).to_have_count(0)
