"""A patch goes to the newest release of the series, says in seconds when there is none, and reports what visitors noticed."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import Operation, OperationStatus, Step, StepStatus
from appliance.domain.versions import Move, plan
from appliance.errors import InvalidRequest
from appliance.hosts.confinement import Marked
from appliance.operations.engine import Engine
from appliance.operations.kinds.patch import closed_for
from appliance.operations.requesting import request
from appliance.operations.workflows import WORKFLOWS
from appliance.products.builds import build_of
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


def installed_from(appliance: Appliance, build: str) -> None:
    """The CRM serves a build of the newest release of its series."""
    serving = appliance.store.instances.get("sales").deployment
    assert serving is not None
    appliance.store.instances.serve("sales", replace(serving, build=build), previous=None)


def carried(appliance: Appliance, *, steps: int | None = None) -> Operation:
    operation = requested(appliance)
    confinement = Marked(name="test", file=appliance.settings.home / "test.pid")
    workflow = replace(WORKFLOWS["patch"], steps=WORKFLOWS["patch"].steps[:steps])
    engine = Engine(appliance=appliance, workflows={"patch": workflow}, confinement=confinement, now=now, tell=lambda *_: None)
    engine.carry(operation)
    return appliance.store.operations.get(operation.id)


def test_a_new_lock_of_the_same_release_is_a_patch(appliance: Appliance) -> None:
    installed_from(appliance, "older")
    assert carried(appliance, steps=1).steps[0].detail == "2.7.13 with the packages of its new lock"
    definition = appliance.catalogue.get("creme").definition
    assert plan(definition, "2.7.13", "2.7.13", anew=True).move is Move.PATCH


def test_nothing_new_ends_at_once_with_every_other_step_skipped(appliance: Appliance) -> None:
    installed_from(appliance, build_of(appliance.catalogue.get("creme"), "2.7.13"))
    ended = carried(appliance)
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
