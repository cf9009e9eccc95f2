"""Playbook runs that are begun ahead of their turn, by the real Ansible: they wait, go on at once, or leave without a trace."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from appliance.errors import PlaybookFailed
from appliance.operations.run import Run
from tests.support.house import wait_for
from tests.support.operating import make_appliance, now
from tests.support.web_world import STEPS, add_sales


@pytest.fixture
def run(tmp_path: Path) -> Run:
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    operation = appliance.store.operations.record(
        kind="backup", instance="sales", parameters={}, steps=STEPS, requested_by="Alice", now=now()
    )
    return Run(
        appliance=appliance,
        operation=operation,
        step=STEPS[0][0],
        interrupted=False,
        cancellable=False,
        now=now,
        end_children_here=lambda: None,
    )


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    """What the playbook takes away."""
    file = tmp_path / "crm" / "maintenance" / "maintenance.on"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


def told(flag: Path) -> dict[str, Any]:
    crm = {"name": "sales", "root": str(flag.parent.parent), "user": "crm-sales"}
    return {"crm": crm, "host": {"service_manager": "supervisord"}, "product": {"services": []}, "maintenance_state": "off"}


def loaded(run: Run) -> list[psutil.Process]:
    """The processes of runs of this operation."""
    return [
        process for process in psutil.Process().children(recursive=True) if any(str(run.directory) in word for word in words_of(process))
    ]


def words_of(process: psutil.Process) -> list[str]:
    """Its command line; none of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def lines(run: Run) -> list[str]:
    return [line.text for line in run.appliance.store.logs.lines(run.operation.id, limit=100)]


def test_a_prepared_run_waits_and_then_belongs_to_the_step_that_calls_for_it(run: Run, flag: Path) -> None:
    run.prepare("maintenance", told(flag))
    run.ahead.await_loaded()
    assert (len(loaded(run)) > 1, flag.exists()) == (True, True)
    recap = replace(run, step=STEPS[1][0]).playbook("maintenance", told(flag))
    assert (recap.changed, flag.exists()) == (1, False)
    assert "changed: Lift the flag" in lines(run)
    run.ahead.close()
    assert not loaded(run)


def test_a_prepared_run_that_fails_is_no_success(run: Run, flag: Path) -> None:
    wrong = {**told(flag), "crm": {"name": "sales"}}
    run.prepare("maintenance", wrong)
    run.ahead.await_loaded()
    with pytest.raises(PlaybookFailed):
        run.playbook("maintenance", wrong)


def test_a_run_with_other_variables_is_not_the_one_that_was_prepared(run: Run, flag: Path, tmp_path: Path) -> None:
    run.prepare("maintenance", told(tmp_path / "elsewhere" / "maintenance" / "maintenance.on"))
    assert run.playbook("maintenance", told(flag)).changed == 1
    assert not flag.exists()
    run.ahead.close()


def test_what_was_never_called_for_ends_without_having_done_anything(run: Run, flag: Path) -> None:
    run.prepare("maintenance", told(flag))
    run.ahead.close()
    assert flag.exists()
    assert not loaded(run)
    assert not lines(run)


def test_a_prepared_run_that_was_killed_is_begun_anew(run: Run, flag: Path) -> None:
    run.prepare("maintenance", told(flag))
    wait_for(lambda: bool(loaded(run)), seconds=30)
    for process in loaded(run):
        process.kill()
    (_, ended), *_ = run.ahead.waiting.values()
    wait_for(ended.done, seconds=30)
    assert run.playbook("maintenance", told(flag)).changed == 1
    assert not flag.exists()
