"""What a restore that runs says of the bytes it moves, and that it is stopped when somebody asks."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.operation import OperationStatus
from appliance.errors import Cancelled
from appliance.operations.run import Run
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_sales, run_operation

POINT = "20260302T010000Z-1"
FILE_BYTES = 8 * 1024**2


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A step of an operation that runs."""
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    operation = run_operation(appliance, kind="restore")
    return Run(
        appliance=appliance,
        operation=operation,
        step="preflight",
        interrupted=False,
        cancellable=True,
        now=now,
        end_children_here=lambda: None,
    )


@pytest.fixture
def saved(run: Run, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What restores a recovery point out of a real repository; it holds four files."""
    files = tmp_path / "files"
    files.mkdir()
    for number in range(4):
        (files / str(number)).write_bytes(os.urandom(FILE_BYTES))
    password = run.appliance.store.vault.ensure("repository:local", "password", 40)
    with run.lent_secrets({"repository": password}) as lent:
        repository = {"location": str(tmp_path / "repository"), "password_file": lent["repository"]}
        run.backup("init", {"repository": repository})
        whole: dict[str, object] = {"crm": "sales", "database": None, "paths": [str(files)], "record": {}}
        run.backup("backup", {"repository": repository, "point": POINT, **whole})
        yield {"repository": repository, "point": POINT, "files": {str(files): str(tmp_path / "restored")}}


def test_a_restore_says_how_many_bytes_have_come_back(run: Run, saved: dict[str, Any], tmp_path: Path) -> None:
    run = replace(run, step="build")
    run.appliance.store.operations.begin_step(run.operation.id, "build", now=now())
    run.backup("restore", saved)
    transfer = run.appliance.store.operations.get(run.operation.id).transfer
    assert transfer is not None
    assert (transfer.stage, transfer.bytes_done, transfer.bytes_total) == ("files", 4 * FILE_BYTES, 4 * FILE_BYTES)
    assert (tmp_path / "restored" / "3").stat().st_size == FILE_BYTES


def test_a_restore_is_stopped_when_somebody_asks(run: Run, saved: dict[str, Any]) -> None:
    journal = run.appliance.store.operations
    journal.request_cancel(run.operation.id, now=now())
    with pytest.raises(Cancelled):
        run.backup("restore", saved)
    assert journal.get(run.operation.id).status is OperationStatus.RUNNING, "the engine takes it back from here"
