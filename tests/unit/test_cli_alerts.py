"""Alerts and channels by the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.adoption import answered
from appliance.errors import InvalidRequest, NotFound
from appliance.operations.sending import NotSent
from appliance.wiring import Appliance
from monitoring.rules.table import RULES
from tests.support.operating import make_appliance
from tests.support.receivers import web_server
from tests.support.web_world import NOON, add_sales


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def told(*argv: str, typed: str | None = None, code: int = 0) -> str:
    done = CliRunner().invoke(app, argv, input=typed, catch_exceptions=False)
    assert done.exit_code == code
    return done.stdout


def test_a_channel_is_added_tried_listed_and_removed_and_its_address_never_shown(appliance: Appliance) -> None:
    with web_server() as hook:
        address = f"json://user:no-secret-of-anybody@{hook.address}/\n"
        shown = told("notification", "add", "ops", "--url-file", "-", "--severity", "critical", typed=address)
        shown += told("notification", "test", "ops")
        assert hook.titles() == ["[test] The appliance can notify you here"]
        hook.status = 500
        with pytest.raises(NotSent):
            told("notification", "test", "ops")
    (listed,) = json.loads(told("notification", "list", "--json"))
    assert (listed["severities"], listed["service"]) == (["critical"], "JSON")
    shown += told("notification", "list") + str(listed) + told("notification", "remove", "ops")
    assert "no-secret-of-anybody" not in shown
    assert appliance.store.channels.list() == []


@pytest.mark.usefixtures("appliance")
def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"/nonexistent/url cannot be read.*Nothing was changed"):
        told("notification", "add", "ops", "--url-file", "/nonexistent/url")


@pytest.mark.usefixtures("appliance")
def test_without_a_monitor_nothing_is_known_and_the_exit_code_says_so() -> None:
    assert "does the monitor run?" in told("alert", "list", code=1)
    assert json.loads(told("alert", "list", "--json", code=1)) == {"evaluated_at": None, "alerts": []}


@pytest.mark.usefixtures("appliance")
def test_the_rules_are_listed_with_their_promql() -> None:
    rules = json.loads(told("alert", "rules", "--json"))
    assert [(rule["name"], rule["promql"]) for rule in rules] == [(rule.name, rule.promql()) for rule in RULES]


def test_a_channel_is_sent_the_weekly_digest_where_that_is_wanted_and_anybody_can_look_at_it(appliance: Appliance) -> None:
    add_sales(appliance)
    told("notification", "add", "boss", "--url-file", "-", "--weekly", typed="json://127.0.0.1:1/")
    assert appliance.store.channels.get("boss").weekly
    assert "weekly" in told("notification", "list")
    assert "- Last proven restore" in told("notification", "digest", "--instance", "sales")
    with pytest.raises(NotFound):
        told("notification", "digest", "--instance", "nosuch")


def test_how_people_work_with_a_crm_is_shown_and_switched_off(appliance: Appliance) -> None:
    add_sales(appliance)
    assert "It is not known yet." in told("instance", "adoption", "sales")
    rows: dict[str, list[list[Any]]] = {
        "records": [[3]],
        "untouched": [[1]],
        "newest_change": [[None]],
        "active_users": [["2026-03-01", "Sales", 2]],
    }
    appliance.store.adoption.put(answered("sales", rows, before=None, now=NOON))
    shown = told("instance", "adoption", "sales")
    assert "33 % of them for 90 days" in shown
    assert "last on 2026-03-01" in shown
    assert json.loads(told("instance", "adoption", "sales", "--json"))["adoption"]["records"] == 3
    told("instance", "adoption", "sales", "--off")
    assert appliance.store.instances.get("sales").measures_adoption is False
