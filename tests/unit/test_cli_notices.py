"""The status page by the command line."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.wiring import Appliance
from monitoring.ledger import State
from tests.support.operating import make_appliance
from tests.support.seen_states import each_quarter_minute, write_states
from tests.support.web_world import add_sales


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def told(*argv: str) -> str:
    return CliRunner().invoke(app, argv, catch_exceptions=False).stdout


def test_a_crm_is_published_and_hidden_again(appliance: Appliance) -> None:
    assert "/status shows it" in told("instance", "publish", "sales", "--on")
    assert appliance.store.instances.get("sales").is_public
    assert "does not show it" in told("instance", "publish", "sales", "--off")
    assert not appliance.store.instances.get("sales").is_public
    with pytest.raises(NotFound):
        told("instance", "publish", "nosuch", "--on")


def test_notices_are_added_listed_and_taken_back(appliance: Appliance) -> None:
    assert "There is no notice" in told("notice", "list")
    assert "on the status page of sales" in told("notice", "add", "sales", "Back at noon.")
    (listed,) = json.loads(told("notice", "list", "sales", "--json"))
    assert listed["text"] == "Back at noon."
    with pytest.raises(InvalidRequest, match="No outage of sales that was seen began"):
        told("notice", "add", "sales", "x", "--outage", "2026-03-01T12:00:30")
    assert "taken back" in told("notice", "remove", str(listed["id"]))
    assert appliance.store.notices.list() == []


def test_a_notice_is_about_an_outage_that_is_listed(appliance: Appliance) -> None:
    assert "sales was not seen down." in told("notice", "outages", "sales")
    states = each_quarter_minute(datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC), State.UP, State.DOWN, State.DOWN, State.UP)
    write_states(appliance.settings.ledger_file, "sales", states)
    assert "2026-03-01T12:00:00+00:00" in told("notice", "outages", "sales")
    assert len(json.loads(told("notice", "outages", "sales", "--json"))) == 1
    told("notice", "add", "sales", "A disk was full.", "--outage", "2026-03-01T12:00:00")
    (notice,) = appliance.store.notices.list()
    assert notice.outage_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.raises(NotFound):
        told("notice", "outages", "nosuch")


@pytest.mark.parametrize("name_and_text", [("nosuch", "x"), ("sales", " ")])
def test_what_cannot_be_told_changes_nothing(appliance: Appliance, name_and_text: tuple[str, str]) -> None:
    with pytest.raises((NotFound, InvalidRequest)):
        told("notice", "add", *name_and_text)
    assert appliance.store.notices.list() == []
