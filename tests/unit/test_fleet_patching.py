"""Patching the fleet: canaries first, the others one after the other, and no further than failures allow."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.domain.host import FLEET
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import InvalidRequest, PreflightFailed, StepFailed
from appliance.hosts.confinement import Marked
from appliance.operations.engine import Engine
from appliance.operations.kinds import fleet_patch
from appliance.operations.requesting import cancel, request
from appliance.operations.run import Run
from appliance.operations.workflow import Done, StepDefinition, Workflow
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import NOON, add_sales, add_web1


@pytest.fixture
def appliance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Appliance:
    """Three CRMs: patching one that is called bad fails, idle has nothing to do, and with last somebody asks to stop."""
    monkeypatch.setattr(fleet_patch, "PAUSE_SECONDS", 0.01)
    made = make_appliance(tmp_path)
    for slot, name in enumerate(("able", "bad", "idle")):
        add_sales(made, name=name, slot=slot)
    return made


def patch_one(run: Run) -> str:
    if run.operation.instance == "bad":
        raise StepFailed("its probes are not healthy")
    if run.operation.instance == "last":
        fleet = int(run.operation.requested_by.removeprefix("operation "))
        cancel(run.appliance, fleet, requested_by="Alice", now=now())
    return Done("nothing to do") if run.operation.instance == "idle" else "patched"


def engine(appliance: Appliance, file: str) -> Engine:
    patch = Workflow(
        kind="patch",
        accept=lambda _, __, parameters: dict(parameters),
        steps=(StepDefinition(name="look", title="Look", run=patch_one),),
    )
    workflows = {"patch": patch, "fleet-patch": WORKFLOWS["fleet-patch"]}
    confinement = Marked(name=file, file=appliance.settings.home / file)
    return Engine(appliance=appliance, workflows=workflows, confinement=confinement, now=now, tell=lambda *_: None)


def requested(appliance: Appliance, **parameters: object) -> Operation:
    return request(appliance, "fleet-patch", FLEET, parameters, requested_by="Alice", now=NOON)


def carried(appliance: Appliance, operation: Operation) -> Operation:
    """Carry the operation, and beside it those that it requests, as the worker would."""
    journal = appliance.store.operations
    with ThreadPoolExecutor(1) as pool:
        claimed = journal.claim(now=now())
        assert claimed is not None
        whole = pool.submit(engine(appliance, "whole").carry, claimed)
        while not whole.done():
            if (one := journal.claim(now=now())) is not None:
                engine(appliance, "one").carry(one)
            time.sleep(0.01)
        whole.result()
    return journal.get(operation.id)


def patched(appliance: Appliance) -> list[str]:
    """Who was patched, or tried, in order."""
    return [one.instance for one in reversed(appliance.store.operations.list(kind="patch"))]


def test_a_failed_canary_leaves_all_others_as_they_are(appliance: Appliance) -> None:
    ended = carried(appliance, requested(appliance, canaries=["bad"]))
    assert (ended.status, patched(appliance)) == (OperationStatus.FAILED, ["bad"])
    assert "its probes are not healthy" in str(ended.cause)


def test_a_canary_that_waits_for_approval_has_not_succeeded(appliance: Appliance) -> None:
    appliance.store.instances.ask_approval("able", wanted=True, by="Alice", now=NOON)
    ended = carried(appliance, requested(appliance, canaries=["able"]))
    assert (ended.status, patched(appliance)) == (OperationStatus.FAILED, ["able"])
    assert "able waits until somebody agrees" in str(ended.cause)


def test_of_the_others_one_that_waits_for_approval_keeps_nobody_waiting(appliance: Appliance) -> None:
    appliance.store.instances.ask_approval("bad", wanted=True, by="Alice", now=NOON)
    ended = carried(appliance, requested(appliance))
    assert (ended.status, patched(appliance)) == (OperationStatus.SUCCEEDED, ["able", "bad", "idle"])
    assert "bad: waits for approval" in str(ended.steps[-1].detail)


def test_after_the_canary_come_the_others_until_one_fails(appliance: Appliance) -> None:
    ended = carried(appliance, requested(appliance, canaries=["idle"]))
    assert (ended.status, patched(appliance)) == (OperationStatus.FAILED, ["idle", "able", "bad"])


def test_those_that_are_left_are_named(appliance: Appliance) -> None:
    ended = carried(appliance, requested(appliance))
    assert patched(appliance) == ["able", "bad"]
    assert "Not patched any more: idle" in str(ended.cause)


def test_one_failure_may_be_allowed_and_is_told_at_the_end(appliance: Appliance) -> None:
    ended = carried(appliance, requested(appliance, stop_after=2))
    assert (ended.status, patched(appliance)) == (OperationStatus.FAILED, ["able", "bad", "idle"])


def test_what_each_came_to_is_reported(appliance: Appliance) -> None:
    appliance.store.instances.remove("bad")
    ended = carried(appliance, requested(appliance))
    assert ended.status is OperationStatus.SUCCEEDED
    assert ended.steps[-1].detail == "able: succeeded (operation 2); idle: nothing to do (operation 3)"


def test_where_nobody_had_anything_to_do_it_says_so(appliance: Appliance) -> None:
    for name in ("able", "bad"):
        appliance.store.instances.remove(name)
    ended = carried(appliance, requested(appliance))
    assert (ended.found_nothing, ended.steps[-1].status) == (True, StepStatus.SKIPPED)


def test_an_interrupted_run_goes_on_with_what_it_had_requested(appliance: Appliance) -> None:
    appliance.store.instances.remove("bad")
    operation = requested(appliance)
    before = request(appliance, "patch", "able", {}, requested_by=f"operation {operation.id}", now=NOON)
    carried(appliance, operation)
    assert [one.id for one in appliance.store.operations.list(instance="able")] == [before.id]


def test_one_that_is_busy_is_waited_for(appliance: Appliance) -> None:
    appliance.store.instances.remove("bad")
    operation = requested(appliance)
    request(appliance, "patch", "able", {}, requested_by="Oscar", now=NOON)
    assert carried(appliance, operation).status is OperationStatus.SUCCEEDED
    assert patched(appliance) == ["able", "able", "idle"]


def test_it_is_stopped_between_two_of_them(appliance: Appliance) -> None:
    add_sales(appliance, name="last", slot=3)
    ended = carried(appliance, requested(appliance, canaries=["last"]))
    assert (ended.status, patched(appliance)) == (OperationStatus.CANCELLED, ["last"])


def test_prepared_hosts_belong_to_the_fleet_before_their_crms(appliance: Appliance) -> None:
    add_web1(appliance)
    assert fleet_patch.fleet(appliance) == ["able", "bad", "idle", "host:web1"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [({"canaries": ["sales"]}, "'sales' does not belong to the fleet"), ({"stop_after": 0}, "stop_after"), ({"who": "all"}, "who")],
)
def test_what_makes_no_sense_is_refused_by_its_field(appliance: Appliance, parameters: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        requested(appliance, **parameters)


def test_an_empty_fleet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreflightFailed, match="the fleet is empty"):
        requested(make_appliance(tmp_path))
