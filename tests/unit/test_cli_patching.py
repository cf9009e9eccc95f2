"""Patches by the command line, at once and in windows."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.errors import InvalidRequest
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales, add_web1


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    add_web1(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def told(*argv: str) -> Any:
    return json.loads(CliRunner().invoke(app, [*argv, "--json"], catch_exceptions=False).stdout)


@pytest.mark.usefixtures("appliance")
def test_the_fleet_is_patched_as_it_was_said() -> None:
    chosen = ["--canary", "sales", "--canary", "host:web1", "--stop-after", "3", "--what", "all", "--reboot"]
    requested = told("patch", "--fleet", *chosen, "--detach")
    assert (requested["kind"], requested["instance"]) == ("fleet-patch", "fleet:all")
    assert requested["parameters"] == {"canaries": ["sales", "host:web1"], "stop_after": 3, "what": "all", "reboot": True}


@pytest.mark.usefixtures("appliance")
def test_what_was_not_said_is_left_to_the_kind_of_operation() -> None:
    assert told("patch", "sales", "--detach")["parameters"] == {"to": "2.7.13"}
    assert told("patch", "--host", "web1", "--detach")["parameters"] == {"what": "security", "reboot": False}


WINDOW = ["--days", "SUN", "--begin", "02:00", "--minutes", "120", "--time-zone", "Europe/Berlin", "--blackout", "2026-12-24"]


def test_the_fleet_is_patched_in_windows_canaries_first(appliance: Appliance) -> None:
    printed = told("schedule", "add", "nightly", "--fleet", "--canary", "sales", *WINDOW)
    (made,) = appliance.store.schedules.list()
    assert str(made.window) == "SUN 02:00, 120 min, Europe/Berlin, not on 2026-12-24"
    assert (made.subject, made.parameters, made.stop_after) == ("fleet:all", {"canaries": ["sales"]}, 2)
    assert (printed["window"]["length"], printed["window"]["blackouts"]) == (7200, [{"first": "2026-12-24", "last": "2026-12-24"}])
    assert told("schedule", "list") == {"paused": False, "pause": None, "schedules": [told("schedule", "show", "nightly")]}


def test_a_window_that_cannot_be_is_refused_by_its_field(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match="is not a time of day") as refused:
        told("schedule", "add", "nightly", "--instance", "sales", *WINDOW, "--begin", "2:00")
    assert (refused.value.field, appliance.store.schedules.list()) == ("begin", [])
