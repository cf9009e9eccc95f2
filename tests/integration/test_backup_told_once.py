"""A backup that was cut off between its end and the monitor's hearing of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.operations.run import Run
from appliance.operations.steps.snapshots import take_snapshot
from appliance.wiring import Appliance
from monitoring.events import Event
from monitoring.ledger import Ledger
from tests.support.operating import make_appliance, now
from tests.support.web_world import STEPS, add_sales

BEGAN = datetime(2026, 3, 2, 1, tzinfo=UTC)
POINT = "20260302T010000Z-1"


@pytest.fixture
def interrupted(tmp_path: Path) -> Run:
    """The second run of a backup's step, whose first one had written its point into a real repository and nothing else."""
    appliance = make_appliance(tmp_path)
    (tmp_path / "files").mkdir()
    add_sales(appliance)
    operation = appliance.store.operations.record(
        kind="backup", instance="sales", parameters={}, steps=STEPS, requested_by="Alice", now=BEGAN
    )
    run = Run(
        appliance=appliance,
        operation=operation,
        step="preflight",
        interrupted=True,
        cancellable=False,
        now=now,
        end_children_here=lambda: None,
    )
    password = appliance.store.vault.ensure("repository:local", "password", 40)
    run.remember(point=POINT, point_began=BEGAN.isoformat())
    with run.lent_secrets({"repository": password}) as files:
        repository = {"location": str(appliance.settings.repository_directory), "password_file": files["repository"]}
        run.backup("init", {"repository": repository})
        files_only: dict[str, object] = {"crm": "sales", "database": None, "paths": [str(tmp_path / "files")], "record": {}}
        run.backup("backup", {"repository": repository, "point": POINT, **files_only})
    return run


def told(appliance: Appliance) -> list[Event]:
    with Ledger(appliance.settings.ledger_file) as ledger:
        return ledger.events("backup", "sales")


def test_a_backup_that_had_ended_before_a_crash_is_told_exactly_once(interrupted: Run) -> None:
    take_snapshot(interrupted)
    take_snapshot(interrupted)  # as after a second crash, behind the telling
    (event,) = told(interrupted.appliance)
    assert (event.result, event.values["recovery_point"], event.values["repository"]) == ("success", POINT, "local")
    assert event.duration_seconds is not None
    assert event.at == BEGAN + timedelta(seconds=event.duration_seconds)
    assert POINT in {point.id for point in interrupted.appliance.store.points.list("sales")}
