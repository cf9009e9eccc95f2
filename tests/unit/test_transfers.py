"""How far a step has come that moves bytes: its rate, what is left, and how it is told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.transfer import Pace, Transfer, transferred
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales, run_operation

MIB = 1024**2
HALFWAY = Transfer(stage="database", bytes_done=50 * MIB, bytes_total=100 * MIB, bytes_per_second=5 * MIB, seconds_left=10)
TOLD = "database: 50.0 MiB of 100 MiB, 5.0 MiB/s, 10 s left"


def see(pace: Pace, *, at: float, done: int, total: int | None = 100 * MIB, stage: str = "database") -> Transfer | None:
    return pace.see(stage, bytes_done=done, bytes_total=total, seconds=at)


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    pace = Pace()
    see(pace, at=100, done=0)
    for second in range(1, 21):
        see(pace, at=100 + second, done=4 * MIB * second)
    slower = [see(pace, at=120 + second, done=(80 + second) * MIB) for second in range(1, 11)]
    assert slower[-1] is not None
    assert (slower[-1].bytes_per_second, slower[-1].seconds_left) == (MIB, 10)


def test_what_nobody_knows_is_not_made_up() -> None:
    pace = Pace()
    first, unknown = see(pace, at=5, done=0), see(pace, at=6, done=MIB, total=None)
    assert first == Transfer(stage="database", bytes_done=0, bytes_total=100 * MIB, bytes_per_second=None, seconds_left=None)
    assert unknown == Transfer(stage="database", bytes_done=MIB, bytes_total=None, bytes_per_second=MIB, seconds_left=None)
    assert transferred(unknown) == "database: 1.0 MiB, 1.0 MiB/s"


def test_it_is_told_twice_a_second_and_at_the_beginning_and_end_of_each_stage() -> None:
    pace = Pace()
    told = [see(pace, at=0.1 * tick, done=10 * MIB * tick) is not None for tick in range(11)]
    assert told == [True, False, False, False, False, True, False, False, False, False, True]
    again, files = see(pace, at=1.01, done=0), see(pace, at=1.02, done=0, stage="files")
    assert (again is not None, files is not None) == (True, True)
    assert see(pace, at=1.03, done=300 * MIB, stage="files") is None


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    made = make_appliance(tmp_path)
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(made.settings.home))
    add_sales(made)
    return made


def test_an_operation_says_how_far_the_step_that_runs_has_come_and_no_other(appliance: Appliance) -> None:
    journal, operation = appliance.store.operations, run_operation(appliance)
    journal.progress(operation.id, "preflight", 50, HALFWAY)
    assert (journal.get(operation.id).transfer, journal.get(operation.id).percent) == (HALFWAY, 16)
    journal.begin_step(operation.id, "preflight", now=NOON)
    assert journal.get(operation.id).transfer is None, "what was said before an interruption counts no longer"
    journal.progress(operation.id, "build", None, HALFWAY)
    assert journal.get(operation.id).transfer is None


def test_the_command_line_tells_it(appliance: Appliance) -> None:
    operation = run_operation(appliance)
    appliance.store.operations.progress(operation.id, "preflight", 50, HALFWAY)
    assert TOLD in CliRunner().invoke(app, ["operation", "show", str(operation.id)], catch_exceptions=False).stdout
    shown = CliRunner().invoke(app, ["operation", "show", str(operation.id), "--json"], catch_exceptions=False).stdout
    assert json.loads(shown)["transfer"]["seconds_left"] == 10
