"""Anything is found by words of its name, by who may open it."""

import re

import pytest

from tests.support.web_world import Browser, PanelWorld, add_sales, run_operation


def found(browser: Browser, query: str = "") -> list[str]:
    page = browser.client.get("/find", params={"q": query}).text
    return re.findall(r'<a class="list-row found-row" href="([^"]*)"', page)


@pytest.mark.parametrize("name", ["Alice", "Oscar", "Victor"])
def test_whatever_is_found_can_be_opened(world: PanelWorld, name: str) -> None:
    browser = world.browser_of(name)
    addresses = {address for query in ["", *"aeiou", "sales", "web1", "restore sales", "remove sales"] for address in found(browser, query)}
    assert {address: browser.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert ("/audit" in addresses, "/instances/sales/remove" in addresses) == (name == "Alice", name == "Alice")


def test_a_crm_a_host_and_what_is_done_to_them_are_found(world: PanelWorld, oscar: Browser) -> None:
    add_sales(world.appliance, name="support", slot=1)
    assert found(oscar, "sal")[0] == "/instances/sales"
    assert found(oscar, "RESTORE supp") == ["/instances/support/restore"]
    assert found(oscar, "web1") == ["/hosts/web1"]
    assert "Nothing is called that." in oscar.get("/find?q=zzz").text


@pytest.mark.parametrize("query", ["1", "#1"])
def test_an_operation_is_found_by_its_number(world: PanelWorld, victor: Browser, query: str) -> None:
    run_operation(world.appliance)
    assert found(victor, query)[0] == "/operations/1"


@pytest.mark.parametrize("query", ["9" * 18, "#", "9" * 500, "\u0661", "<b>{{ 7*7 }}</b>", "%", "\x00"])
def test_what_is_not_there_is_not_found(victor: Browser, query: str) -> None:
    answer = victor.client.get("/find", params={"q": query})
    assert (answer.status_code, found(victor, query), "<b>" in answer.text) == (200, [], False)


def test_not_more_is_shown_than_can_be_read(world: PanelWorld, victor: Browser) -> None:
    for slot in range(1, 30):
        add_sales(world.appliance, name=f"crm{slot:02}", slot=slot)
    assert len(found(victor, "crm")) == 12
