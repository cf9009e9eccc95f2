"""Passkeys in a real browser, with the device that Chromium makes up: added, used to log in and to confirm, refused once removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect
from sqlalchemy import text

from appliance.domain.second_factor import make_recovery_codes
from appliance.store.audit import AuditFilter
from appliance.wiring import Appliance
from tests.browser.conftest import ANSWER_MS, DESKTOP, Visitor
from tests.browser.test_browser_accessibility import WAYS, offences
from tests.support.running_panel import RunningPanel
from tests.support.web_world import PASSWORD


@dataclass(kw_only=True)
class Device:
    """The device that keeps the passkeys, steered by the browser's own protocol."""

    session: CDPSession
    id: str

    def set_verified(self, is_verified: bool) -> None:
        """Whether it knows its owner by more than a touch."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": is_verified})

    def credentials(self) -> list[dict[str, Any]]:
        """What it keeps."""
        kept: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        return kept


@pytest.fixture
def home(chromium: Browser, panel: RunningPanel) -> Iterator[Visitor]:
    """A visitor at the address that passkeys are for."""
    with chromium.new_context(viewport=DESKTOP) as context:
        context.set_default_timeout(ANSWER_MS)
        visitor = Visitor(page=context.new_page(), url=panel.url.replace("127.0.0.1", "localhost"), forgiven=("401", "422"))
        visitor.page.on("console", visitor.hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        yield visitor
    assert visitor.unexpected_complaints() == []


@pytest.fixture
def device(home: Visitor) -> Device:
    session = home.page.context.new_cdp_session(home.page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options | {"automaticPresenceSimulation": True}})
    return Device(session=session, id=made["authenticatorId"])


def add(home: Visitor, name: str = "laptop") -> None:
    home.go("/second-factor")
    home.page.get_by_label("Name of the device").fill(name)
    home.page.get_by_role("button", name="Add a passkey").click()


def log_in_alone(home: Visitor) -> None:
    home.page.context.clear_cookies()
    home.go("/login?next=%2Fbackups")
    home.page.get_by_role("button", name="Log in with a passkey").click()


def actions(appliance: Appliance, action: str) -> list[dict[str, Any]]:
    return [dict(entry.detail) for entry in appliance.store.audit.list(AuditFilter(action=action))]


def test_added_it_opens_the_panel_alone_and_removed_it_does_not(appliance: Appliance, home: Visitor, device: Device) -> None:
    home.log_in()
    add(home)
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert [one["isResidentCredential"] for one in device.credentials()] == [True]
    log_in_alone(home)
    expect(home.page.get_by_role("heading", name="Backups")).to_be_visible()
    assert actions(appliance, "log in")[0]["second factor"] == "passkey alone"
    home.go("/second-factor")
    expect(home.page.get_by_text("last used")).to_be_visible()
    home.page.get_by_role("button", name="Remove laptop").click()
    add(home, "another")
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    (removed,) = [one for one in device.credentials() if one["signCount"] > 1]
    (kept,) = [one for one in device.credentials() if one != removed]
    device.session.send("WebAuthn.removeCredential", {"authenticatorId": device.id, "credentialId": kept["credentialId"]})
    log_in_alone(home)
    expect(home.page.get_by_role("alert")).to_contain_text("was not accepted")


def test_it_stands_for_the_code_after_the_password(appliance: Appliance, home: Visitor, device: Device) -> None:
    home.log_in()
    add(home)
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    home.page.context.clear_cookies()
    device.set_verified(False)
    home.log_in()
    home.page.get_by_role("button", name="Use a passkey").click()
    expect(home.page.get_by_role("heading", name="Overview")).to_be_visible()
    assert actions(appliance, "log in")[0]["second factor"] == "passkey"


def test_a_device_that_does_not_know_its_owner_does_not_open_it_alone(appliance: Appliance, home: Visitor, device: Device) -> None:
    home.log_in()
    add(home)
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    device.set_verified(False)
    log_in_alone(home)
    expect(home.page.get_by_role("alert")).to_contain_text("No passkey was used")
    assert home.page.url.endswith("/login?next=%2Fbackups")
    assert [told for told in actions(appliance, "log in") if told.get("second factor")] == []
    device.set_verified(True)
    home.page.get_by_role("button", name="Log in with a passkey").click()
    expect(home.page.get_by_role("heading", name="Backups")).to_be_visible()


def test_it_confirms_what_is_grave(appliance: Appliance, home: Visitor, device: Device) -> None:
    home.log_in()
    add(home)
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert len(device.credentials()) == 1
    with appliance.store.database.writing() as session:
        session.execute(text("UPDATE sessions SET confirmed_at = NULL"))
    home.go("/instances/sales/remove")
    home.page.get_by_label("to confirm").fill("sales")
    home.page.get_by_role("button", name="Remove sales").click()
    expect(home.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    home.page.get_by_role("button", name="Use a passkey").click()
    home.page.wait_for_url("**/operations/1")
    assert (appliance.store.operations.get(1).kind, actions(appliance, "confirm")[0]["by"]) == ("remove", "passkey")


def test_the_same_device_is_not_added_twice(home: Visitor, device: Device) -> None:
    home.log_in()
    add(home)
    expect(home.page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    add(home, "again")
    expect(home.page.get_by_role("alert")).to_contain_text("has a passkey for you already")
    assert len(device.credentials()) == 1


def test_at_a_plain_address_the_page_says_where_they_work(visitor: Visitor, panel: RunningPanel) -> None:
    visitor.log_in()
    visitor.go("/second-factor")
    expect(visitor.page.get_by_text(f"Passkeys work at {panel.url.replace('127.0.0.1', 'localhost')} alone")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Add a passkey")).to_have_count(0)


@pytest.mark.parametrize("way", list(WAYS))
def test_their_pages_are_legible_and_accessible(appliance: Appliance, home: Visitor, device: Device, way: str) -> None:
    scheme, size = WAYS[way]
    home.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    home.page.set_viewport_size(size)
    codes = make_recovery_codes()
    appliance.store.second_factors.turn_on("Alice", secret="JBSWY3DPEHPK3PXP", step=0, codes=codes, now=datetime.now(UTC))
    home.log_in()
    home.page.get_by_label("Code").fill(codes[0])
    home.page.get_by_role("button", name="Log in").click()
    expect(home.page.get_by_role("heading", name="Overview")).to_be_visible()
    add(home)
    expect(home.page.get_by_text("added")).to_be_visible()
    assert len(device.credentials()) == 1
    look(home, f"{way}-passkeys")
    with appliance.store.database.writing() as session:
        session.execute(text("UPDATE sessions SET confirmed_at = NULL"))
    home.page.get_by_role("button", name="Remove laptop").click()
    expect(home.page.get_by_role("button", name="Use a passkey")).to_be_visible()
    look(home, f"{way}-passkey-confirm")
    home.page.context.clear_cookies()
    home.go("/login")
    expect(home.page.get_by_role("button", name="Log in with a passkey")).to_be_visible()
    look(home, f"{way}-passkey-login")
    home.page.get_by_label("Name").fill("Alice")
    home.page.get_by_label("Password").fill(PASSWORD)
    home.page.get_by_role("button", name="Log in", exact=True).click()
    expect(home.page.get_by_role("button", name="Use a passkey")).to_be_visible()
    look(home, f"{way}-passkey-code")


def look(visitor: Visitor, name: str) -> None:
    """Nothing that axe finds, nothing that scrolls sideways."""
    visitor.picture(name)
    assert offences(visitor) == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= visitor.page.evaluate("window.innerWidth")
