"""Patching a host: refused when it would be a guess, done in seconds when nothing is new."""

import json
from pathlib import Path

import pytest

from appliance.domain.host import HostState
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import InvalidRequest, NotFound, PreflightFailed
from appliance.hosts.confinement import Marked
from appliance.operations.engine import Engine
from appliance.operations.requesting import request
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance
from tests.support.far_machine import FarMachine, put_in_the_way
from tests.support.operating import make_appliance, now
from tests.support.web_world import NOON, add_web1

SEEN = {"packages": [], "restarts": [], "reboot_required": False, "listed_at": 1_790_000_000.0, "problems": []}
ORDINARY = {"name": "tzdata", "installed": "1", "candidate": "2", "origin": "Debian:12.15/oldstable", "security": False}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    found = make_appliance(tmp_path)
    add_web1(found)
    return found


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarMachine:
    programs = tmp_path / "programs"
    programs.mkdir()
    return put_in_the_way(programs, monkeypatch)


def requested(appliance: Appliance, subject: str = "host:web1", /, **parameters: object) -> Operation:
    return request(appliance, "host-patch", subject, parameters, requested_by="Alice", now=NOON)


def carried(appliance: Appliance, machine: FarMachine, seen: dict[str, object], **parameters: object) -> Operation:
    (machine.programs / "facts.json").write_text(json.dumps(seen))
    operation = requested(appliance, **parameters)
    confinement = Marked(name="test", file=appliance.settings.home / "test.pid")
    Engine(appliance=appliance, workflows=WORKFLOWS, confinement=confinement, now=now, tell=lambda *_: None).carry(operation)
    return appliance.store.operations.get(operation.id)


def test_nothing_new_is_said_and_every_other_step_skipped(appliance: Appliance, machine: FarMachine) -> None:
    ended = carried(appliance, machine, SEEN)
    assert ended.status is OperationStatus.SUCCEEDED
    assert ended.steps[0].detail == "nothing to do: no security update is pending"
    assert {step.status for step in ended.steps[1:]} == {StepStatus.SKIPPED}


def test_other_updates_are_left_by_a_run_for_security_and_named(appliance: Appliance, machine: FarMachine) -> None:
    ended = carried(appliance, machine, {**SEEN, "packages": [ORDINARY], "reboot_required": True})
    assert (
        ended.steps[0].detail == "nothing to do: no security update is pending; 1 other updates are; a reboot is required and not allowed"
    )
    found = appliance.store.pending.find("host:web1")
    assert found is not None
    assert found.packages[0].name == "tzdata"


def test_what_cannot_be_asked_is_refused_and_not_taken_for_nothing(appliance: Appliance, machine: FarMachine) -> None:
    ended = carried(appliance, machine, {**SEEN, "problems": ["apt's lists could not be fetched (no network)"]})
    assert (ended.status, ended.refused) == (OperationStatus.FAILED, True)
    assert "it is not known what is pending" in str(ended.cause)


def test_only_a_prepared_host_that_is_reached_over_ssh_is_patched(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match="left to its administrator"):
        requested(appliance, "host:localhost")
    with pytest.raises(InvalidRequest, match="is not a host"):
        requested(appliance, "sales")
    with pytest.raises(NotFound):
        requested(appliance, "host:web9")
    with pytest.raises(InvalidRequest, match="what"):
        requested(appliance, what="everything")
    appliance.store.hosts.mark("web1", HostState.ADDED)
    with pytest.raises(PreflightFailed, match="not prepared"):
        requested(appliance)
