"""Operations by the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.operation import OperationStatus
from appliance.errors import InvalidRequest
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import add_sales, add_web1, end_operation, run_operation


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    return made


def told(*argv: str) -> str:
    return CliRunner().invoke(app, argv, catch_exceptions=False).stdout


def test_an_operation_on_a_host_is_called_after_the_host(appliance: Appliance) -> None:
    add_sales(appliance)
    add_web1(appliance)
    end_operation(appliance, run_operation(appliance).id, OperationStatus.SUCCEEDED)
    run_operation(appliance, instance="host:web1", kind="host-prepare")
    listed = told("operation", "list")
    assert "host web1" in listed
    assert "host:web1" not in listed
    assert "host-prepare host web1: running" in told("operation", "show", "2")
    assert [one["id"] for one in json.loads(told("operation", "list", "--host", "web1", "--json"))] == [2]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--as", "copy", "--only", "database"], "only"),
        (["--as", "copy", "--preview"], "preview"),
        (["--at", "2026-11-22 14:05", "--preview"], "preview"),
        (["--as", "copy", "--only", "files", "--preview"], "only"),
    ],
)
def test_options_of_a_restore_that_contradict_each_other_are_refused(words: list[str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        CliRunner().invoke(app, ["restore", "sales", *words], catch_exceptions=False)
    assert refused.value.field == field
