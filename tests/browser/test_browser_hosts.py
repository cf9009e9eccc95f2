"""The pages of the hosts in a real browser; no machine has to be there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from appliance.hosts.host_keys import fingerprint
from appliance.hosts.log_in_keys import make_key
from appliance.operations.machines import KEY_SECRET
from appliance.wiring import Appliance
from tests.browser.conftest import DESKTOP, PHONE, House, Visitor
from tests.support.far_machine import FarMachine, put_in_the_way
from tests.support.web_world import HOST_KEY, add_web1, run_operation

SECRET = make_key()
PAGES = ["/hosts", "/hosts/web1", "/hosts/localhost", "/hosts/web1/remove", "/hosts/web1/trust", "/add-host", "/install", "/operations/1"]


@pytest.fixture
def web1(appliance: Appliance) -> None:
    add_web1(appliance)


def test_a_machine_that_does_not_answer_is_not_added(appliance: Appliance, visitor: Visitor) -> None:
    visitor.forgiven = ("504",)  # a refusal, as it should be
    visitor.log_in()
    visitor.go("/hosts")
    visitor.page.get_by_role("link", name="Add a host").click()
    visitor.page.get_by_label("Name", exact=True).fill("web2")
    visitor.page.get_by_label("Address").fill("127.0.0.1")
    visitor.page.get_by_label("Port of its SSH server").fill("1")
    visitor.page.get_by_role("button", name="Ask for its key").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("No SSH server answers at 127.0.0.1 port 1. Nothing was changed")
    expect(visitor.page.get_by_label("Name", exact=True)).to_have_value("web2")
    visitor.picture("host-add-silent")
    assert [host.name for host in appliance.store.hosts.list()] == ["localhost"]


@pytest.fixture
def machine(shared: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarMachine]:
    """In the way before the panel starts: tests name it first."""
    shared.panel.stop()
    yield put_in_the_way(tmp_path, monkeypatch)
    shared.panel.stop()


def test_a_machine_is_added_in_two_steps(machine: FarMachine, appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/add-host")
    visitor.page.get_by_label("Name", exact=True).fill("web2")
    visitor.page.get_by_label("Address").fill("192.0.2.2")
    visitor.page.get_by_role("button", name="Ask for its key").click()
    expect(visitor.page.locator("main")).to_contain_text(fingerprint(machine.host_key))
    visitor.picture("host-confirm")
    visitor.page.set_viewport_size(PHONE)
    visitor.picture("host-confirm-phone")
    visitor.page.get_by_label("Private key").fill(SECRET)
    visitor.page.get_by_role("button", name="It is the same: add web2").click()
    visitor.page.wait_for_url("**/hosts/web2")
    expect(visitor.page.get_by_role("button", name="Prepare web2")).to_be_visible()
    visitor.picture("host-added-phone")
    assert appliance.store.vault.get("host:web2", KEY_SECRET) == SECRET


@pytest.mark.usefixtures("web1")
def test_another_key_is_trusted(machine: FarMachine, appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/hosts/web1/trust")
    visitor.picture("host-trust")
    visitor.page.get_by_role("button", name="I compared it: trust this key").click()
    visitor.page.wait_for_url("**/hosts/web1")
    assert appliance.store.hosts.get("web1").host_key == machine.host_key


@pytest.mark.usefixtures("web1")
def test_a_host_is_prepared_from_its_page_as_it_is_to_be_kept(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/hosts")
    visitor.picture("hosts")
    visitor.page.get_by_role("link", name="web1").click()
    expect(visitor.page.locator("main")).to_contain_text(fingerprint(HOST_KEY))
    visitor.page.get_by_label("Firewall").check()
    visitor.picture("host")
    visitor.page.get_by_role("button", name="Prepare again").click()
    visitor.page.wait_for_url("**/operations/1")
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("host web1")
    visitor.page.get_by_label("Where you are").get_by_role("link", name="host web1").click()
    expect(visitor.page.get_by_text("Queued").first).to_be_visible()
    assert appliance.store.operations.get(1).parameters["firewall"] is True


@pytest.mark.usefixtures("web1")
def test_a_host_is_forgotten_once_its_name_is_typed(appliance: Appliance, visitor: Visitor) -> None:
    visitor.log_in()
    visitor.go("/hosts/web1/remove")
    button = visitor.page.get_by_role("button", name="Remove web1")
    expect(button).to_be_disabled()
    visitor.page.get_by_label("to confirm").fill("web1")
    button.click()
    visitor.page.wait_for_url("**/hosts")
    assert [host.name for host in appliance.store.hosts.list()] == ["localhost"]


@pytest.mark.usefixtures("web1")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_host_scrolls_sideways_on_a_phone(appliance: Appliance, visitor: Visitor, scheme: str) -> None:
    run_operation(appliance, instance="host:web1", kind="host-prepare", now=datetime.now(UTC))
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.forgiven = ("504",)  # the host does not answer
    visitor.log_in()
    widths = {}
    for address in PAGES:
        for size in (DESKTOP, PHONE):
            visitor.page.set_viewport_size(size)
            visitor.go(address)
            visitor.picture(f"{scheme}-{size['width']}{address.replace('/', '-')}")
        widths[address] = visitor.page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(PAGES, PHONE["width"])
