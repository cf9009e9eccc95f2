"""What is left behind is looked for once, without writing anything, and cleared by an operation like any other."""

import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.operation import Operation, OperationStatus
from appliance.hosts.confinement import Cgroup, Marked, confine
from appliance.operations.engine import Engine
from appliance.operations.kinds import tidy
from appliance.operations.requesting import request
from appliance.operations.tidying import hosts_at_rest, tidy_up
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance
from tests.support.left_behind import add_laid_out, leave_deployment, marked_process, page_of, root_of
from tests.support.operating import make_appliance, now
from tests.support.web_world import NOON, add_sales, add_web1, run_operation


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_laid_out(made)
    return made


def looked(appliance: Appliance, moment: timedelta = timedelta()) -> list[str]:
    return tidy_up(appliance, hosts_at_rest(appliance), NOON + moment, workflows=WORKFLOWS)


def carried(appliance: Appliance, **parameters: object) -> Operation:
    operation = request(appliance, "tidy", "sales", parameters, requested_by="Alice", now=NOON)
    confinement = Marked(name="test", file=appliance.settings.home / "test.pid")
    Engine(appliance=appliance, workflows=WORKFLOWS, confinement=confinement, now=now, tell=lambda *_: None).carry(operation)
    return appliance.store.operations.get(operation.id)


def test_where_nothing_is_left_behind_nothing_is_requested_or_said(appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
    assert looked(appliance) == []
    assert appliance.store.operations.list() == []
    assert capsys.readouterr().err == ""


def test_a_stale_maintenance_page_is_requested_to_be_cleared_and_only_once(appliance: Appliance) -> None:
    page_of(appliance).touch()
    assert looked(appliance) == ["sales"]
    operation = appliance.store.operations.list()[0]
    assert (operation.kind, operation.requested_by, operation.status) == ("tidy", "the appliance", OperationStatus.QUEUED)
    assert looked(appliance) == []


def test_processes_are_seen_to_by_one_of_the_instances_of_their_host(appliance: Appliance) -> None:
    add_laid_out(appliance, "other", slot=1)
    page_of(appliance).touch()
    with marked_process(appliance, 77):
        assert looked(appliance) == ["other", "sales"]
        assert [one.instance for one in appliance.store.operations.list()] == ["sales", "other"]
    add_laid_out(appliance, "third", slot=2)
    with marked_process(appliance, 77):
        assert looked(appliance) == ["third"]


def test_an_instance_that_an_operation_works_on_is_left_alone(appliance: Appliance) -> None:
    page_of(appliance).touch()
    operation = run_operation(appliance)
    assert looked(appliance) == []
    appliance.store.operations.finish(operation.id, OperationStatus.NEEDS_ATTENTION, now=NOON)
    assert looked(appliance) == []


def test_what_was_seen_while_an_operation_came_and_went_is_not_judged(appliance: Appliance) -> None:
    page_of(appliance).touch()
    before = hosts_at_rest(appliance)
    appliance.store.operations.finish(run_operation(appliance).id, OperationStatus.SUCCEEDED, now=NOON)
    assert tidy_up(appliance, before, NOON, workflows=WORKFLOWS) == []


def test_what_could_not_be_cleared_is_tried_again_another_day(appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
    page_of(appliance).touch()
    looked(appliance)
    appliance.store.operations.finish(1, OperationStatus.FAILED, now=NOON)
    assert looked(appliance, timedelta(hours=1)) == []
    assert "sales was tidied in vain lately" in capsys.readouterr().err
    assert looked(appliance, timedelta(days=1)) == ["sales"]


def test_a_host_that_cannot_be_reached_is_named_and_the_others_are_looked_at(
    appliance: Appliance, capsys: pytest.CaptureFixture[str]
) -> None:
    add_web1(appliance)
    add_sales(appliance, name="far", slot=1, host="web1")
    page_of(appliance).touch()
    assert looked(appliance) == ["sales"]
    assert "web1 was not looked at for what may be left behind there: The host web1 cannot be reached" in capsys.readouterr().err


def test_what_is_only_named_is_named_with_what_to_do(appliance: Appliance, capsys: pytest.CaptureFixture[str]) -> None:
    (root_of(appliance) / "deployments" / "0003-77").mkdir()
    (root_of(appliance, "theirs") / "deployments" / "0001-1").mkdir(parents=True)
    assert looked(appliance) == []
    said = capsys.readouterr().err
    assert "theirs on localhost belongs to no CRM of this appliance and is left alone" in said
    assert "no known operation has made 0003-77; to remove those: appliance instance tidy sales --unknown" in said


def test_an_operation_that_finds_nothing_ends_well_at_once(appliance: Appliance) -> None:
    ended = carried(appliance)
    assert (ended.status, ended.steps[0].detail, ended.found_nothing) == (OperationStatus.SUCCEEDED, "nothing is left behind", True)


def test_processes_are_ended_and_those_of_nobody_are_spared(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "PROCESSES_PATIENCE_SECONDS", 0)
    with marked_process(appliance, 77) as orphan, marked_process(appliance, int(run_operation(appliance, instance="other").id)) as busy:
        ended = carried(appliance)
        assert (ended.status, ended.steps[1].detail) == (OperationStatus.SUCCEEDED, "of operations 77")
        assert orphan.wait(10) != 0
        assert busy.poll() is None


def test_a_process_is_ended_too_that_only_its_control_group_tells(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "PROCESSES_PATIENCE_SECONDS", 0)
    group = confine(appliance.settings.home, 77)
    if not isinstance(group, Cgroup):
        pytest.skip("this machine lends no control groups")
    group.directory.mkdir()
    with subprocess.Popen(["sleep", "60"]) as orphan:
        (group.directory / "cgroup.procs").write_text(str(orphan.pid))
        ended = carried(appliance)
        orphan.kill()
    group.leave_nothing()
    assert (ended.steps[1].detail, orphan.returncode) == ("of operations 77", -signal.SIGTERM)


def test_a_page_stays_while_the_crm_behind_it_is_not_well(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidy, "HEALTH_PATIENCE_SECONDS", 0)
    page_of(appliance).touch()
    ended = carried(appliance)
    assert ended.status is OperationStatus.FAILED
    assert "The maintenance page stays, since the CRM behind it is not well" in str(ended.cause)
    assert "`appliance instance tidy sales --start`" in str(ended.cause)
    assert page_of(appliance).exists()


def test_nothing_is_cleared_where_the_appliance_does_not_remember_what_serves(appliance: Appliance) -> None:
    made = leave_deployment(appliance)
    (root_of(appliance) / "current").unlink()
    (root_of(appliance) / "current").symlink_to(f"deployments/{made.id}")
    assert looked(appliance) == []
    ended = carried(appliance)
    assert (ended.status, ended.refused) == (OperationStatus.FAILED, True)
    assert f"points to deployments/{made.id}, and the appliance remembers 0002-12" in str(ended.cause)


def test_it_is_requested_by_the_command_line(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    CliRunner().invoke(app, ["instance", "tidy", "sales", "--unknown", "--detach"], catch_exceptions=False)
    operation = appliance.store.operations.get(1)
    assert (operation.kind, operation.parameters) == ("tidy", {"start": False, "unknown": True})
