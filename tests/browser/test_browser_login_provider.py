"""Log in by a real OpenID Connect provider in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from appliance.store.audit import AuditFilter
from appliance.web.login_provider import CALLBACK
from appliance.wiring import Appliance
from tests.browser.conftest import Visitor
from tests.browser.test_browser_accessibility import WAYS, offences
from tests.support.identity_provider import IdentityProvider, running_identity_provider
from tests.support.running_panel import RunningPanel

PEOPLE = {
    "emma": {"preferred_username": "Emma", "email": "emma@example.org", "email_verified": True, "groups": ["crm-admins"]},
    "eve": {"preferred_username": "Eve", "email": "eve@evil.example", "email_verified": True, "groups": ["crm-admins"]},
    "alice": {"preferred_username": "Alice", "email": "alice@example.org", "email_verified": True},
}


@pytest.fixture
def provider(panel: RunningPanel) -> Iterator[IdentityProvider]:
    with running_identity_provider(callback=panel.url + CALLBACK, people=PEOPLE) as running:
        yield running


def set_up(visitor: Visitor, provider: IdentityProvider) -> None:
    """By the page, as Alice. The provider's own pages would load a font from elsewhere, which nothing here needs."""
    visitor.page.context.route(re.compile(r"^https://"), lambda route: route.fulfill(body=""))
    visitor.log_in()
    visitor.go("/login-provider")
    fields = {
        "Name on the button": "Example",
        "Issuer": provider.issuer,
        "Client id": provider.client,
        "Client secret": provider.secret,
        "Claim that gives a greater role": "groups",
        "Which value gives which role": "crm-admins=administrator",
        "Only e-mail addresses of": "example.org",
    }
    for label, value in fields.items():
        visitor.page.get_by_label(label).fill(value)
    visitor.page.get_by_label("Who comes for the first time").check()
    visitor.page.get_by_role("button", name="Save").click()
    expect(visitor.page.get_by_role("heading", name="Who is known there")).to_be_visible()
    visitor.page.context.clear_cookies()


def log_in_by(page: Page, name: str) -> None:
    """On the provider's own pages: who it is, and that the panel may know it."""
    page.get_by_role("link", name="Log in by Example").click()
    sign_in(page, name)
    page.get_by_role("button", name="Continue").click()


def sign_in(page: Page, name: str) -> None:
    """Whoever types a name there is that person."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()


def test_who_logs_in_by_it_gets_where_he_was_going(appliance: Appliance, visitor: Visitor, provider: IdentityProvider) -> None:
    set_up(visitor, provider)
    visitor.go("/backups")
    log_in_by(visitor.page, "emma")
    expect(visitor.page.get_by_role("heading", name="Backups")).to_be_visible()
    assert visitor.page.url.endswith("/backups")
    user = appliance.store.access.find_user("Emma")
    assert user is not None
    assert user.role == "administrator"
    assert appliance.store.audit.list(AuditFilter(action="log in", actor="Emma"))[0].detail["provider"] == provider.issuer
    visitor.go("/audit")
    expect(visitor.page.get_by_role("heading", name="Audit")).to_be_visible()


def test_what_is_grave_is_shown_to_the_provider_once_more(visitor: Visitor, provider: IdentityProvider) -> None:
    visitor.forgiven = ("401",)
    set_up(visitor, provider)
    visitor.go("/instances/sales/remove")
    log_in_by(visitor.page, "emma")
    visitor.page.get_by_label("to confirm").fill("sales")
    visitor.page.get_by_role("button", name="Remove sales").click()
    expect(visitor.page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    visitor.page.get_by_role("link", name="Show it to Example instead").click()
    sign_in(visitor.page, "emma")
    visitor.page.wait_for_url("**/instances/sales")
    visitor.go("/instances/sales/remove")
    visitor.page.get_by_label("to confirm").fill("sales")
    visitor.page.get_by_role("button", name="Remove sales").click()
    visitor.page.wait_for_url("**/operations/1")


def test_who_may_not_come_in_is_told_why(appliance: Appliance, visitor: Visitor, provider: IdentityProvider) -> None:
    visitor.forgiven = ("403", "409")
    set_up(visitor, provider)
    for name, why in (("eve", "e-mail address is not one"), ("alice", "a user 'Alice' here already")):
        visitor.page.context.clear_cookies()
        visitor.go("/login")
        log_in_by(visitor.page, name)
        expect(visitor.page.get_by_role("alert")).to_contain_text(why)
    assert [user.name for user in appliance.store.access.users()] == ["Alice", "Oscar", "Victor"]


def test_while_it_is_down_the_password_opens_the_panel(visitor: Visitor, panel: RunningPanel) -> None:
    visitor.forgiven = ("502",)
    with running_identity_provider(callback=panel.url + CALLBACK, people=PEOPLE) as provider:
        set_up(visitor, provider)
    visitor.go("/login")
    visitor.page.get_by_role("link", name="Log in by Example").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("does not answer")
    visitor.log_in()
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.parametrize("way", list(WAYS))
def test_its_pages_are_legible_and_accessible(visitor: Visitor, provider: IdentityProvider, way: str) -> None:
    scheme, size = WAYS[way]
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    visitor.page.set_viewport_size(size)
    set_up(visitor, provider)
    visitor.go("/login")
    look(visitor, f"{way}-provider-login")
    log_in_by(visitor.page, "emma")
    expect(visitor.page.get_by_role("heading", name="Overview")).to_be_visible()
    visitor.go("/login-provider")
    look(visitor, f"{way}-provider")


def look(visitor: Visitor, name: str) -> None:
    """Nothing that axe finds, nothing that scrolls sideways."""
    visitor.picture(name)
    assert offences(visitor) == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= visitor.page.evaluate("window.innerWidth")
