"""What is kept of an instance that was removed, and what can be made of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.operations.kinds.restore import secrets_are_kept
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    made.store.instances.remove("sales")
    return made


def told(*argv: str) -> str:
    return CliRunner().invoke(app, argv, catch_exceptions=False).stdout


def test_the_recovery_points_of_a_removed_instance_are_listed_as_such(appliance: Appliance) -> None:
    assert appliance.store.instances.find("sales") is None
    listed = told("recovery-points")
    assert "sales-1" in listed
    assert "sales (removed)" in listed
    assert [point["id"] for point in json.loads(told("recovery-points", "--json"))] == ["sales-2", "sales-1"]


def test_a_removed_instance_is_restored_as_a_new_one_by_the_command_line(appliance: Appliance) -> None:
    told("restore", "sales", "--to", "sales-1", "--as", "again", "--detach")
    operation = appliance.store.operations.get(1)
    assert (operation.kind, operation.instance, operation.parameters["point"]) == ("restore-beside", "again", "sales-1")


def test_a_restore_is_refused_before_anything_is_changed_when_the_secrets_are_gone(appliance: Appliance) -> None:
    point = appliance.store.points.get("sales-1")
    refusal = secrets_are_kept(appliance, point)()
    assert refusal is not None
    assert "the secrets of sales are no longer kept" in refusal
    for secret in appliance.catalogue.get(point.record["product"]).definition.secrets:
        appliance.store.vault.put("sales", secret.name, "kept")
    assert secrets_are_kept(appliance, point)() is None
