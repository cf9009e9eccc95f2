"""A patch goes to the newest release of the series, says in seconds when there is none, and reports what visitors noticed."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import Operation, OperationStatus, Step, StepStatus
from appliance.errors import InvalidRequest
from appliance.hosts.confinement import Marked
from appliance.operations.engine import Engine
from appliance.operations.kinds.patch import closed_for
from appliance.operations.requesting import request
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import NOON, add_sales


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    found = make_appliance(tmp_path)
    add_sales(found)
    return found


def requested(appliance: Appliance, **parameters: object) -> Operation:
    return request(appliance, "patch", "sales", parameters, requested_by="Alice", now=NOON)


def test_nothing_new_ends_at_once_with_every_other_step_skipped(appliance: Appliance) -> None:
    operation = requested(appliance)
    confinement = Marked(name="test", file=appliance.settings.home / "test.pid")
    Engine(appliance=appliance, workflows=WORKFLOWS, confinement=confinement, now=now, tell=lambda *_: None).carry(operation)
    ended = appliance.store.operations.get(operation.id)
    assert ended.status is OperationStatus.SUCCEEDED
    assert "nothing to do: 2.7.13 is the newest release of series 2.7" in str(ended.steps[0].detail)
    assert {step.status for step in ended.steps[1:]} == {StepStatus.SKIPPED}


def test_the_release_to_go_to_is_decided_by_the_appliance(appliance: Appliance) -> None:
    assert requested(appliance, to="2.7.1").parameters == {"to": "2.7.13"}
    with pytest.raises(InvalidRequest):
        requested(appliance, from_="2.7")


def test_the_downtime_is_from_the_maintenance_page_to_the_switch(appliance: Appliance) -> None:
    second = timedelta(seconds=1)
    names = ("backup", "maintenance", "migrate", "switch", "open")
    steps = [
        Step(name=name, title=name, status=StepStatus.SUCCEEDED, started_at=NOON + at * second, finished_at=NOON + (at + 1) * second)
        for at, name in enumerate(names)
    ]
    operation = requested(appliance)
    assert closed_for(operation) is None
    assert closed_for(Operation(**{**vars(operation), "steps": tuple(steps)})) == 3 * second
