"""The worker as a process: killed, restarted, cancelled; its operations' processes with it."""

import dataclasses
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from appliance.domain.operation import OperationStatus, StepStatus
from appliance.errors import Cancelled, Conflict
from appliance.hosts.confinement import confine
from appliance.operations.requesting import cancel, request
from appliance.operations.run import Run
from appliance.operations.worker_lock import hold, is_held
from appliance.operations.workflow import StepDefinition
from appliance.wiring import Appliance
from tests.support.left_behind import add_laid_out, page_of
from tests.support.operating import await_end, await_true, make_appliance, now, start_worker, stop_worker, workflows_of


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path)


def running(appliance: Appliance, operation_id: int, step: str) -> bool:
    return any(one.name == step and one.status == StepStatus.RUNNING for one in appliance.store.operations.get(operation_id).steps)


def test_a_request_starts_within_the_blink_of_an_eye(appliance: Appliance) -> None:
    workflows = workflows_of(StepDefinition(name="one", title="Do", run=lambda _: None))
    worker = start_worker(appliance, workflows)
    await_true(lambda: is_held(appliance.settings.worker_lock))
    time.sleep(0.2)
    operation = request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    ended = await_end(appliance, operation.id)
    stop_worker(worker)
    assert ended.status == OperationStatus.SUCCEEDED
    assert ended.started_at is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_carrier_that_waits_for_work_ends_with_its_worker(appliance: Appliance, number: signal.Signals) -> None:
    worker = start_worker(appliance, workflows_of())
    await_true(lambda: len(psutil.Process(worker).children()) == 1)
    waiting = psutil.Process(worker).children()[0]
    stop_worker(worker, number)
    await_true(lambda: not waiting.is_running() or waiting.status() == psutil.STATUS_ZOMBIE)
    assert not is_held(appliance.settings.worker_lock)


def test_a_request_is_carried_out_though_the_waiting_carrier_was_killed(appliance: Appliance) -> None:
    workflows = workflows_of(StepDefinition(name="one", title="Do", run=lambda _: None))
    worker = start_worker(appliance, workflows)
    await_true(lambda: len(psutil.Process(worker).children()) == 1)
    psutil.Process(worker).children()[0].kill()
    operation = request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    ended = await_end(appliance, operation.id)
    stop_worker(worker)
    assert ended.status == OperationStatus.SUCCEEDED


def test_an_operation_outlives_its_worker_and_is_not_begun_twice(appliance: Appliance, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    def slow(_: Run) -> None:
        with trace.open("a") as stream:
            stream.write("begun\n")
        time.sleep(1.5)

    workflows = workflows_of(StepDefinition(name="slow", title="Sleep", run=slow))
    worker = start_worker(appliance, workflows)
    operation = request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    await_true(lambda: running(appliance, operation.id, "slow"))
    stop_worker(worker, signal.SIGKILL)
    worker = start_worker(appliance, workflows)
    ended = await_end(appliance, operation.id)
    stop_worker(worker)
    assert (ended.status, trace.read_text()) == (OperationStatus.SUCCEEDED, "begun\n")


def test_after_kill_9_of_worker_and_carrier_the_step_runs_again_once_its_orphans_have_ended(appliance: Appliance, tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    def spawn(run: Run) -> None:
        overlapping = trace.exists() and not trace.read_text().endswith("ended\n")
        assert not overlapping, "two runs of one step at once"
        if not run.interrupted:
            subprocess.run(["sh", "-c", f"setsid sh -c 'echo begun >> {trace}; sleep 2; echo ended >> {trace}'"], check=True)

    workflows = workflows_of(StepDefinition(name="spawn", title="Spawn", run=spawn))
    worker = start_worker(appliance, workflows)
    operation = request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    await_true(lambda: trace.exists() and "begun" in trace.read_text())
    os.kill(int((appliance.settings.worker_lock.parent / f"carrier-{operation.id}").read_text().split()[0]), signal.SIGKILL)
    stop_worker(worker, signal.SIGKILL)
    worker = start_worker(appliance, workflows)
    ended = await_end(appliance, operation.id)
    stop_worker(worker)
    assert (ended.cause, trace.read_text()) == (None, "begun\nended\n")


def test_cancelling_waits_until_the_work_has_really_ended(appliance: Appliance) -> None:
    confinement = confine(appliance.settings.home, 1)

    def wait_for_cancel(run: Run) -> None:
        subprocess.Popen(["setsid", "sleep", "60"])
        while not run.is_cancelled():
            time.sleep(0.05)
        run.end_children()
        run.log(f"left: {len(confinement.members())}")
        raise Cancelled(f"Operation {run.operation.id} was stopped.")

    workflows = workflows_of(StepDefinition(name="wait", title="Wait", run=wait_for_cancel))
    worker = start_worker(appliance, workflows)
    operation = request(appliance, "work", "demo", {}, requested_by="Alice", now=now(), workflows=workflows)
    await_true(lambda: running(appliance, operation.id, "wait"))
    cancel(appliance, operation.id, requested_by="Alice", now=now())
    ended = await_end(appliance, operation.id)
    stop_worker(worker)
    lines = [line.text for line in appliance.store.logs.lines(operation.id)]
    assert (ended.status, "left: 1" in lines) == (OperationStatus.CANCELLED, True)


def test_what_is_left_behind_is_found_when_a_worker_starts_and_the_child_that_looks_does_not_stay(appliance: Appliance) -> None:
    add_laid_out(appliance)
    page_of(appliance).touch()
    workflows = {"tidy": dataclasses.replace(workflows_of()["work"], kind="tidy")}
    worker = start_worker(appliance, workflows)
    await_true(lambda: appliance.store.operations.list() != [])
    assert await_end(appliance, 1).status == OperationStatus.SUCCEEDED
    await_true(lambda: len(psutil.Process(worker).children()) == 1)
    stop_worker(worker)


def test_two_instances_are_worked_on_at_once_and_one_worker_is_enough(appliance: Appliance) -> None:
    workflows = workflows_of(StepDefinition(name="sleep", title="Sleep", run=lambda _: time.sleep(0.7)))
    worker = start_worker(appliance, workflows)
    first, second = (request(appliance, "work", name, {}, requested_by="Alice", now=now(), workflows=workflows) for name in ("one", "two"))
    await_true(lambda: running(appliance, first.id, "sleep") and running(appliance, second.id, "sleep"))
    with pytest.raises(Conflict, match="A worker is at work already"), hold(appliance.settings.worker_lock):
        pass
    assert {await_end(appliance, one.id).status for one in (first, second)} == {OperationStatus.SUCCEEDED}
    stop_worker(worker)
    assert not is_held(appliance.settings.worker_lock)
