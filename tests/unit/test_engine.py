import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import Conflict, InvalidRequest, PreflightFailed, StepFailed
from appliance.hosts.confinement import Marked
from appliance.operations.engine import Engine
from appliance.operations.requesting import cancel, request, retry
from appliance.operations.run import Run
from appliance.operations.workflow import Done, StepDefinition, Workflows
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now, record, workflows_of


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path)


class World:
    """What the steps of a test have done, in order."""

    def __init__(self) -> None:
        self.deeds: list[str] = []
        self.broken: set[str] = set()

    def step(self, name: str, *, undoable: bool = True, cancellable: bool = True) -> StepDefinition:
        return StepDefinition(
            name=name, title=f"Do {name}", run=self._do(name), undo=self._do(f"undo {name}") if undoable else None, cancellable=cancellable
        )

    def _do(self, deed: str) -> Callable[[Run], None]:
        def act(_: Run) -> None:
            self.deeds.append(deed)
            if deed in self.broken:
                raise StepFailed(f"{deed} broke")

        return act


def carry(appliance: Appliance, workflows: Workflows, operation: Operation) -> Operation:
    confinement = Marked(name="test", file=appliance.settings.home / "test.pid")
    Engine(appliance=appliance, workflows=workflows, confinement=confinement, now=now, tell=lambda *_: None).carry(
        appliance.store.operations.get(operation.id)
    )
    return appliance.store.operations.get(operation.id)


def test_an_operation_takes_its_steps_in_order(appliance: Appliance) -> None:
    world = World()
    workflows = workflows_of(world.step("one"), world.step("two"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert (ended.status, ended.percent, world.deeds) == (OperationStatus.SUCCEEDED, 100, ["one", "two"])


def test_a_step_that_finds_the_end_reached_skips_those_after_it(appliance: Appliance) -> None:
    world = World()
    look = StepDefinition(name="look", title="Look", run=lambda _: Done("nothing new"))
    workflows = workflows_of(world.step("one"), look, world.step("two"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert (ended.status, ended.percent, world.deeds) == (OperationStatus.SUCCEEDED, 100, ["one"])
    assert [(step.status, step.detail) for step in ended.steps[1:]] == [(StepStatus.SUCCEEDED, "nothing new"), (StepStatus.SKIPPED, None)]


def test_an_operation_killed_after_its_end_was_reached_does_nothing_more(appliance: Appliance) -> None:
    world = World()
    workflows = workflows_of(world.step("one"), world.step("two"))
    operation = record(appliance, workflows)
    appliance.store.operations.claim(now=now())
    appliance.store.operations.begin_step(operation.id, "one", now=now())
    appliance.store.operations.end_step(operation.id, "one", StepStatus.SUCCEEDED, now=now(), skip_rest=True)
    assert (carry(appliance, workflows, operation).status, world.deeds) == (OperationStatus.SUCCEEDED, [])


def test_a_failed_step_is_undone_with_all_before_it_in_reverse(appliance: Appliance) -> None:
    world = World()
    world.broken = {"two"}
    workflows = workflows_of(world.step("one"), world.step("two"), world.step("three"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert ended.status == OperationStatus.ROLLED_BACK
    assert world.deeds == ["one", "two", "undo two", "undo one"]
    assert ended.cause == "Do two: two broke"


def test_a_kind_that_rolls_nothing_back_just_fails(appliance: Appliance) -> None:
    world = World()
    world.broken = {"one"}
    workflows = {"work": dataclasses.replace(workflows_of(world.step("one"))["work"], undone=OperationStatus.FAILED)}
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert (ended.status, world.deeds) == (OperationStatus.FAILED, ["one", "undo one"])


def test_a_refusal_in_preflight_is_told_apart_from_a_failure(appliance: Appliance) -> None:
    def refuse(_: Run) -> None:
        raise PreflightFailed(("the disk is full; make room",))

    workflows = workflows_of(StepDefinition(name="preflight", title="Check", run=refuse))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert (ended.status, ended.refused) == (OperationStatus.FAILED, True)


def test_a_defect_in_a_step_rolls_back_like_a_failure(appliance: Appliance) -> None:
    world = World()

    def defect(_: Run) -> None:
        raise ZeroDivisionError("division by zero")

    workflows = workflows_of(world.step("one"), StepDefinition(name="two", title="Divide", run=defect))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert ended.status == OperationStatus.ROLLED_BACK
    assert "a defect of the appliance: ZeroDivisionError" in str(ended.cause)


def test_a_failed_undo_needs_attention_and_keeps_the_instance_locked(appliance: Appliance) -> None:
    world = World()
    world.broken = {"two", "undo one"}
    workflows = workflows_of(world.step("one"), world.step("two"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    assert ended.status == OperationStatus.NEEDS_ATTENTION
    assert f"appliance operation retry {ended.id}" in str(ended.next_action)
    with pytest.raises(Conflict, match="busy with operation"):
        request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)


def test_retrying_what_needs_attention_goes_on_undoing_where_it_stopped(appliance: Appliance) -> None:
    world = World()
    world.broken = {"two", "undo one"}
    workflows = workflows_of(world.step("one"), world.step("two"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    world.broken, world.deeds = set(), []
    again = carry(appliance, workflows, retry(appliance, ended.id, requested_by="Alice", now=now()))
    assert (again.status, world.deeds) == (OperationStatus.ROLLED_BACK, ["undo one"])


def test_an_interrupted_operation_resumes_after_its_last_finished_step(appliance: Appliance) -> None:
    world, seen = World(), []
    workflows = workflows_of(world.step("one"), StepDefinition(name="two", title="Look", run=lambda run: seen.append(run.interrupted)))
    operation = record(appliance, workflows)
    journal = appliance.store.operations
    journal.end_step(operation.id, "one", StepStatus.SUCCEEDED, now=now())
    journal.begin_step(operation.id, "two", now=now())
    carry(appliance, workflows, operation)
    assert (world.deeds, seen) == ([], [True])


def test_a_cancelled_operation_undoes_what_it_began(appliance: Appliance) -> None:
    world = World()

    def ask(run: Run) -> None:
        world.deeds.append("one")
        cancel(appliance, run.operation.id, requested_by="Alice", now=now())

    workflows = workflows_of(StepDefinition(name="one", title="Ask", run=ask, undo=world.step("one").undo), world.step("two"))
    operation = record(appliance, workflows)
    appliance.store.operations.claim(now=now())
    ended = carry(appliance, workflows, operation)
    assert (ended.status, world.deeds) == (OperationStatus.CANCELLED, ["one", "undo one"])


def test_past_the_last_safe_point_a_cancel_comes_too_late(appliance: Appliance) -> None:
    world = World()
    workflows = workflows_of(world.step("one"), world.step("two", cancellable=False))
    operation = record(appliance, workflows)
    appliance.store.operations.claim(now=now())
    appliance.store.operations.end_step(operation.id, "one", StepStatus.SUCCEEDED, now=now())
    cancel(appliance, operation.id, requested_by="Alice", now=now())
    assert carry(appliance, workflows, operation).status == OperationStatus.SUCCEEDED


def test_a_queued_operation_is_cancelled_at_once(appliance: Appliance) -> None:
    workflows = workflows_of(World().step("one"))
    operation = record(appliance, workflows)
    assert cancel(appliance, operation.id, requested_by="Alice", now=now()).status == OperationStatus.CANCELLED
    with pytest.raises(Conflict, match="nothing to cancel"):
        cancel(appliance, operation.id, requested_by="Alice", now=now())


def test_a_second_operation_on_a_busy_instance_is_refused(appliance: Appliance) -> None:
    workflows = workflows_of(World().step("one"))
    request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    with pytest.raises(Conflict, match=r"busy with operation 1.*appliance operation cancel 1"):
        record(appliance, workflows)
    assert record(appliance, workflows, instance="other").id == 2


def test_an_unknown_kind_is_refused_with_those_there_are(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match=r"there are .*install.*upgrade"):
        request(appliance, "explode", "demo", {}, requested_by="Alice", now=now())


def test_an_operation_that_succeeded_is_not_tried_again(appliance: Appliance) -> None:
    workflows = workflows_of(World().step("one"))
    ended = carry(appliance, workflows, record(appliance, workflows))
    with pytest.raises(Conflict, match="succeeded"):
        retry(appliance, ended.id, requested_by="Alice", now=now())
