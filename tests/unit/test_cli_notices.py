"""The status page by the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
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
    assert "taken back" in told("notice", "remove", str(listed["id"]))
    assert appliance.store.notices.list() == []


@pytest.mark.parametrize("name_and_text", [("nosuch", "x"), ("sales", " ")])
def test_what_cannot_be_told_changes_nothing(appliance: Appliance, name_and_text: tuple[str, str]) -> None:
    with pytest.raises((NotFound, InvalidRequest)):
        told("notice", "add", *name_and_text)
    assert appliance.store.notices.list() == []
