"""What was received of a log and is not whole keeps nobody from what was shipped before."""

import json
import uuid
from pathlib import Path

import pytest

from appliance.domain.instance import Archive, RecoveryPoint
from appliance.errors import CommandFailed, PreflightFailed
from appliance.operations.run import Run
from appliance.operations.steps.recovering import LATEST, find_base
from appliance.operations.steps.repositories import lent
from tests.support.operating import make_appliance, now, record, workflows_of
from tests.support.web_world import NOON, add_sales


def spool_with_a_gap(folder: Path) -> Path:
    (folder / "receiving").mkdir(parents=True)
    (folder / "identity.json").write_text(json.dumps({"log": uuid.uuid4().hex, "system": "7"}))
    for segment in ("000000010000000000000002", "000000010000000000000004.partial"):
        (folder / "receiving" / segment).write_bytes(b"log")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A step of an operation on a CRM whose log is received, by a server that is gone."""
    appliance = make_appliance(tmp_path)
    add_sales(appliance)
    database = {"name": "crm", "port": 1, "socket_directory": str(tmp_path)}
    spool = spool_with_a_gap(tmp_path / "spool")
    appliance.store.instances.archive("sales", Archive(deployment="0001-2.7.13", spool=str(spool), database=database))
    operation = record(appliance, workflows_of(), instance="sales")
    made = Run(
        appliance=appliance,
        operation=operation,
        step="work",
        interrupted=False,
        cancellable=False,
        now=now,
        end_children_here=lambda: None,
    )
    with lent(made, "local") as repository:
        made.backup("init", {"repository": repository})
    return made


def point_of(run: Run) -> RecoveryPoint:
    return run.appliance.store.points.list("sales")[0]


def test_a_moment_is_looked_for_in_what_was_shipped_before(run: Run) -> None:
    with pytest.raises(PreflightFailed, match="nothing leads back to"):
        find_base(run, point_of(run), NOON.isoformat())
    said = [line.text for line in run.appliance.store.logs.lines(run.operation.id)]
    assert any("what was received last could not be shipped: Segment 3 is missing" in text for text in said), said


def test_the_latest_moment_is_refused_rather_than_an_older_one_given(run: Run) -> None:
    with pytest.raises(CommandFailed, match="Begin a new log with a new base"):
        find_base(run, point_of(run), LATEST)
