"""Pages of many CRMs: some at a time, found by a part of the name."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.many_crms import Fleet, fill_store
from tests.support.many_watched import fill_ledger
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, Browser, PanelWorld, add_people

FLEET = Fleet(crms=120, operations=2_400, log_lines=20_000)
LINK = re.compile(r'href="/instances/(crm-\d+)"')


@pytest.fixture(scope="module")
def many() -> Iterator[PanelWorld]:
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as directory:
        appliance = make_appliance(Path(directory))
        add_people(appliance)
        fill_store(appliance, FLEET, NOON)
        fill_ledger(appliance.settings.ledger_file, FLEET.names, NOON)
        yield PanelWorld(appliance=appliance)


@pytest.fixture
def victor(many: PanelWorld) -> Browser:
    return many.browser_of("Victor")


def named(browser: Browser, address: str) -> list[str]:
    """The CRMs that a page leads to, in their order."""
    answer = browser.get(address)
    assert answer.status_code == 200
    return list(dict.fromkeys(LINK.findall(answer.text)))


def test_the_pages_of_all_crms_together_name_each_once(victor: Browser) -> None:
    pages = [named(victor, f"/instances?page={page}") for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == FLEET.names


@pytest.mark.parametrize("address", ["/instances", "/backups", "/drills", "/monitoring", "/updates"])
def test_a_part_of_the_name_finds_a_crm_wherever_they_are_listed(victor: Browser, address: str) -> None:
    assert named(victor, f"{address}?q=M-0077") == ["crm-0077"]


@pytest.mark.parametrize("address", ["/instances", "/backups", "/drills", "/monitoring", "/updates"])
def test_what_is_on_no_page_is_said(victor: Browser, address: str) -> None:
    page = victor.get(f"{address}?q=nobody").text
    assert "has this name" in page
    assert "There is no CRM yet" not in page


@pytest.mark.parametrize("page", ["0", "-1", "1e9", "٣", "99999999999999999999", "x"])
def test_a_page_that_is_no_number_is_the_first(victor: Browser, page: str) -> None:
    assert named(victor, f"/instances?page={page}")[0] == "crm-0000"


def test_a_page_behind_the_last_is_the_last(victor: Browser) -> None:
    assert named(victor, "/instances?page=99")[-1] == "crm-0119"


def test_the_search_goes_along_to_the_next_page(victor: Browser) -> None:
    assert "/instances?q=crm-0&amp;page=2" in victor.get("/instances?q=crm-0").text


def test_the_overview_shows_those_first_that_need_attention(victor: Browser) -> None:
    page = victor.get("/").text
    assert "crm-0004 is down: answered 502 instead of 200." in page
    assert page.count('class="card tile"') == 12
    assert "120 CRMs on this appliance" in page


def test_the_status_page_shows_some_of_the_published_crms_and_its_export_all(many: PanelWorld) -> None:
    for number in range(0, 120, 4):
        many.appliance.store.instances.publish(f"crm-{number:04}", wanted=True, by="Alice", now=NOON)
    stranger = many.browser_of("Mallory")
    assert (stranger.get("/status").text.count("<section"), stranger.get("/status?page=3").text.count("<section")) == (10, 10)
    assert stranger.get("/status?q=0116").text.count("<section") == 1
    assert stranger.get("/status/export").text.count("<section") >= 30


def test_a_long_log_begins_with_its_newest_lines(many: PanelWorld, victor: Browser) -> None:
    count = many.appliance.store.logs.count(FLEET.running)
    many.appliance.store.logs.add(FLEET.running, "\n".join(f"new {number}" for number in range(1200)), step="build", now=NOON)
    page = victor.get(f"/operations/{FLEET.running}").text
    assert (page.count('class="log-line"'), ">new 200<" in page, ">new 199<" in page) == (1000, True, False)
    assert f'data-earlier="{count + 200}"' in page


def test_the_audit_of_a_long_life_is_a_whole_chain(many: PanelWorld) -> None:
    proof = many.appliance.store.audit.prove()
    assert (proof.problem, proof.entries >= FLEET.operations) == ("", True)
