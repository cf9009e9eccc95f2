"""`appliance attention` on the appliance's own machine says what the panel says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest, NotFound
from appliance.web.app import create_app
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_people, add_sales, client_of


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_people(made)
    add_sales(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def run(*argv: str) -> str:
    return CliRunner().invoke(app, ["attention", *argv], catch_exceptions=False).stdout


def test_it_tells_what_the_api_tells(appliance: Appliance) -> None:
    token = appliance.store.tokens.issue(name="t", user="Victor", by="root", now=now())
    panel = client_of(create_app(appliance), {"Authorization": f"Bearer {token}"})
    here = json.loads(run("list", "--json"))
    assert here == panel.get("/api/v1/attention").json()
    assert {one["subject"] for one in here} == {"sales"}
    run("snooze", here[0]["key"], "--for", "2h")
    there = [{**one, "snoozed_until": ""} for one in panel.get("/api/v1/attention").json()]
    assert [{**one, "snoozed_until": ""} for one in json.loads(run("list", "--json"))] == there
    assert "command line" in there[-1]["snoozed_by"]


def test_it_is_snoozed_and_woken_and_both_are_in_the_audit(appliance: Appliance) -> None:
    (first, *_) = json.loads(run("list", "--json"))
    run("snooze", first["key"])
    assert "until" in run()
    run("wake", first["key"])
    assert [one.action for one in appliance.store.audit.list(limit=2)] == ["wake", "snooze"]


@pytest.mark.parametrize(("argv", "refused"), [(("snooze", "sales.nothing"), NotFound), (("wake", "sales.nothing"), NotFound)])
def test_what_there_is_not_is_refused(appliance: Appliance, argv: tuple[str, ...], refused: type[Exception]) -> None:
    with pytest.raises(refused, match="Nothing was changed"):
        run(*argv)
    assert appliance.store.snoozes.lasting(now()) == {}


@pytest.mark.parametrize("length", ["30d", "1s", "soon"])
def test_a_length_that_is_none_is_refused(appliance: Appliance, length: str) -> None:
    (first, *_) = json.loads(run("list", "--json"))
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        run("snooze", first["key"], "--for", length)
    assert appliance.store.snoozes.lasting(now()) == {}


def test_nothing_is_said_to_be_nothing(appliance: Appliance) -> None:
    for one in json.loads(run("list", "--json")):
        assert one["key"].startswith("sales.")
    appliance.store.instances.remove("sales")
    assert "Nothing needs attention." in run()
