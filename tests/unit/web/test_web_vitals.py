"""What a tile of the overview says of a CRM."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from appliance.domain.objectives import Objectives
from appliance.domain.pending import Advisory, Pending, PendingRelease, Way
from appliance.web.vitals import waiting
from tests.support.long_life import a_month_of_probes, three_months
from tests.support.seen_states import moment_of_watch
from tests.support.web_world import NOON, Browser, PanelWorld, add_sales
from tests.unit.web.test_web_pages import text_of


def test_it_says_how_well_a_crm_serves(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.web.vitals.moment_at", moment_of_watch)
    world.moment = now = datetime.now(UTC)
    three_months(world.appliance, now, a_month_of_probes(now))
    text = text_of(world.browser_of("Victor").get("/").text)
    assert "Uptime, 30 days 99." in text
    assert "Response, median" in text
    assert "Response, median –" not in text


def test_without_a_ledger_nothing_is_claimed(victor: Browser) -> None:
    text = text_of(victor.get("/").text)
    assert "Uptime, 30 days –" in text
    assert "Response, median –" in text


@pytest.mark.parametrize(
    ("rpo", "told", "red"), [(None, "7 h 0 min", False), (1, "7 h 0 min of 1 h 0 min allowed", True), (24, "of 24 h", False)]
)
def test_it_says_what_would_be_lost(world: PanelWorld, rpo: int | None, told: str, red: bool) -> None:
    promised = Objectives(rpo=timedelta(hours=rpo) if rpo else None)
    world.appliance.store.instances.promise("sales", promised, by="Alice", now=NOON)
    page = world.browser_of("Victor").get("/").text
    assert told in text_of(page)
    assert ('class="text-red"' in page) == red


def test_without_a_backup_everything_would_be_lost(world: PanelWorld, victor: Browser) -> None:
    world.appliance.store.points.forget(["sales-1", "sales-2"])
    assert "Lost if it broke now everything" in text_of(victor.get("/").text)


def test_it_says_what_waits_the_most_urgent_first(world: PanelWorld, victor: Browser) -> None:
    releases = [
        PendingRelease(version="2.7.14", way=Way.PATCH, installable=True),
        PendingRelease(version="2.8.6", way=Way.UPGRADE, installable=True),
    ]
    known = Pending(subject="sales", asked_at=NOON, releases=tuple(releases), advisories=(Advisory(id="X-1", package="p", version="1"),))
    world.appliance.store.pending.put(known)
    text = text_of(victor.get("/").text)
    assert "Pending 1 known vulnerability patch 2.7.14 upgrade 2.8.6" in text
    assert [
        one.text for one in waiting(replace(known, advisories=known.advisories * 2, releases=(), problems=("no net",), rebuilt=True))
    ] == [
        "2 known vulnerabilities",
        "newer packages",
        "could not be asked",
    ]
    assert [one.text for one in waiting(None)] == ["never asked"]
    assert waiting(Pending(subject="sales", asked_at=NOON)) == []


def test_it_says_what_room_is_left_where_it_runs(world: PanelWorld, victor: Browser) -> None:
    add_sales(world.appliance, name="support", slot=1, host="web1")
    text = text_of(victor.get("/").text)
    assert "Disk 20.0 GiB free" in text
    assert text.count("GiB free") + text.count("TiB free") + text.count("MiB free") == 2  # this machine was looked at itself


def test_many_crms_are_not_all_shown_but_those_that_need_attention_are(world: PanelWorld, victor: Browser) -> None:
    for slot in range(1, 30):
        add_sales(world.appliance, name=f"crm{slot:02}", slot=slot)
    world.appliance.store.points.forget(["crm29-1", "crm29-2"])
    page = victor.get("/").text
    assert ("All 30 CRMs" in page, 'href="/instances/crm29"' in page, 'href="/instances/crm28"' in page) == (True, True, False)
