"""What can be installed here, on pages and in the API: shipped and own definitions, broken ones too, and the CRMs of them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.domain.pending import Pending, PendingRelease, Way
from appliance.products.catalogue import SHIPPED
from tests.support.web_world import NOON, Browser, PanelWorld


@pytest.fixture
def own(world: PanelWorld) -> Iterator[Path]:
    """A definition of the administrator's own: another product, made of a shipped one."""
    directory = world.appliance.settings.etc / "products" / "mine"
    shutil.copytree(SHIPPED / "creme", directory)
    text = (directory / "product.yml").read_text().replace("id: creme\nname: Creme CRM", "id: mine\nname: My CRM", 1)
    (directory / "product.yml").write_text(text.replace("default_release:", 'support_ends: {"2.7": 2025-01-31}\ndefault_release:', 1))
    yield directory
    shutil.rmtree(directory)


def break_(directory: Path) -> None:
    (directory / "product.yml").write_text("id: mine\nname: <b>My CRM</b>\nlicence: MIT\n")


def add_pending(world: PanelWorld) -> None:
    newer = [("2.7.12", Way.PATCH, True), ("2.8.6", Way.UPGRADE, True), ("2.8.7", Way.UPGRADE, False)]
    releases = tuple(PendingRelease(version=version, way=way, installable=is_known) for version, way, is_known in newer)
    world.appliance.store.pending.put(Pending(subject="sales", asked_at=NOON, installed="2.7.11", releases=releases))


def test_products_are_listed_with_where_they_come_from_and_how_many_crms_are_of_them(world: PanelWorld, victor: Browser, own: Path) -> None:
    listed = world.program_of("Victor").get("/api/v1/products").json()
    found = {one["id"]: (one["name"], one["default_release"], one["newest_release"], one["own"], one["instances"]) for one in listed}
    assert found["creme"] == ("Creme CRM", "2.7.13", "2.8.6", False, 1)
    assert found["mine"] == ("My CRM", "2.7.13", "2.8.6", True, 0)
    page = victor.get("/products").text
    assert all(text in page for text in ("My CRM", "Your own", "1 CRM", str(own.parent)))


def test_a_broken_definition_is_told_and_hides_neither_the_others_nor_the_form_that_installs(
    world: PanelWorld, alice: Browser, own: Path
) -> None:
    break_(own)
    listed = {one["id"]: one for one in world.program_of("Alice").get("/api/v1/products").json()}
    assert (listed["creme"]["problems"], listed["mine"]["releases"]) == ([], [])
    assert "licence: Extra inputs are not permitted" in listed["mine"]["problems"]
    page = alice.get("/products/mine").text
    assert "This definition cannot be used" in page
    assert "licence: Extra inputs are not permitted" in page
    assert "/install?product=mine" not in page
    assert (alice.get("/products").text.count("Broken"), "Creme CRM" in alice.get("/install").text) == (1, True)


def test_a_product_tells_the_crms_of_it_and_what_waits_for_them(world: PanelWorld, victor: Browser) -> None:
    add_pending(world)
    victors = world.program_of("Victor")
    told, uses = (victors.get(f"/api/v1/products/creme{end}").json() for end in ("", "/instances"))
    waiting = [{"version": "2.8.6", "way": "upgrade", "installable": True}]
    assert uses == [{"instance": "sales", "release": "2.7.13", "waiting": waiting, "asked_at": "2026-03-02T12:00:00Z"}]
    assert (told["instances"], told["unlocked"]) == (1, ["2.8.7"])
    page = victor.get("/products/creme").text
    assert "upgrade to 2.8.6 waits" in page
    assert "patch to" not in page  # it was installed meanwhile


@pytest.mark.usefixtures("own")
def test_a_product_tells_its_series_settings_and_probes_in_words(world: PanelWorld, victor: Browser) -> None:
    series = world.program_of("Victor").get("/api/v1/products/mine").json()["series"]
    assert [(one["series"], one["releases"][0], one["leads_to"], one["support_ends"]) for one in series] == [
        ("2.8", "2.8.6", [], None),
        ("2.7", "2.7.13", ["2.8"], "2025-01-31"),
        ("2.6", "2.6.23", ["2.7"], None),
    ]
    page = victor.get("/products/mine").text
    for text in ("ended 2025-01-31", "one of en, fr", "Can somebody log in and work?", "PostgreSQL, 14 or newer", "Python 3.11–3.13"):
        assert text in page


def test_a_lock_that_was_changed_is_told_on_the_products_page(victor: Browser, own: Path) -> None:
    (own / "locks" / "2.8.6.txt").write_text("changed\n")
    page = victor.get("/products/mine").text
    assert "This definition can be used, but not all of it" in page
    assert "2.8.6.txt of release 2.8.6 has a wrong hash" in page


def test_only_who_may_install_is_offered_it(alice: Browser, oscar: Browser) -> None:
    pages = [browser.get("/products/creme").text for browser in (alice, oscar)]
    assert ["/install?product=creme" in page for page in pages] == [True, False]


@pytest.mark.parametrize("product", ["siebel", "%2e%2e%2fetc", "ü", "x" * 500])
def test_a_product_that_is_not_there_is_not_found(world: PanelWorld, victor: Browser, product: str) -> None:
    assert victor.get(f"/products/{product}").status_code == 404
    assert world.program_of("Victor").get(f"/api/v1/products/{product}").status_code == 404
    assert world.program_of("Victor").get(f"/api/v1/products/{product}/instances").status_code == 404
