"""Requests that are sent twice with the same key are carried out once."""

import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from httpx import Client, Response

from appliance.domain.operation import OperationStatus
from appliance.domain.request_key import read_request_key
from appliance.errors import Conflict
from appliance.operations.requesting import request
from tests.support.web_world import PanelWorld, end_operation, run_operation

BACKUP = {"kind": "backup", "instance": "sales"}


def send(program: Client, key: str, body: Any = BACKUP, path: str = "operations") -> Response:
    return program.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": key})


def finish(world: PanelWorld) -> None:
    world.appliance.store.operations.finish(1, OperationStatus.SUCCEEDED, now=world.moment)


def test_the_same_request_is_answered_the_same_and_carried_out_once(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    first = send(program, "one")
    finish(world)
    second = send(program, '"one"')
    assert (first.status_code, second.status_code, second.content, second.headers["location"]) == (
        202,
        202,
        first.content,
        "/api/v1/operations/1",
    )
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    assert len(world.operations()) == 1


def test_another_request_with_the_same_key_is_refused(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    send(program, "one")
    for answer in (send(program, "one", {"kind": "drill", "instance": "sales"}), send(program, "one", path="operations/1/retry")):
        assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert len(world.operations()) == 1


def test_a_key_is_its_callers_own(world: PanelWorld) -> None:
    send(world.program_of("Oscar"), "one")
    finish(world)
    assert send(world.program_of("Alice"), "one").json()["id"] == 2


def test_a_key_is_kept_for_a_day(world: PanelWorld) -> None:
    send(world.program_of("Oscar"), "one")
    finish(world)
    world.moment += timedelta(hours=24)
    assert send(world.program_of("Oscar"), "one").json()["id"] == 2
    with world.appliance.store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM request_keys").scalar() == 1


def test_what_was_refused_may_be_sent_again(world: PanelWorld) -> None:
    run_operation(world.appliance)
    program = world.program_of("Oscar")
    assert send(program, "one").status_code == 409
    end_operation(world.appliance, 1, OperationStatus.SUCCEEDED)
    assert send(program, "one").json()["id"] == 2


def test_a_request_that_is_being_answered_is_not_begun_anew(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    with world.app.state.panel.in_flight.alone(read_request_key("one", caller="Oscar", asked=b"")):
        answer = send(program, "one")
    assert (answer.status_code, world.operations()) == (409, [])
    assert send(program, "one").status_code == 202


def test_of_two_processes_that_answer_at_once_one_records(world: PanelWorld) -> None:
    """The other one has looked before the first has written."""
    key = read_request_key("one", caller="Oscar", asked=b"")
    request(world.appliance, "backup", "sales", {}, requested_by="Oscar", now=world.moment, key=key)
    finish(world)
    with pytest.raises(Conflict, match="is being answered"):
        request(world.appliance, "backup", "sales", {}, requested_by="Oscar", now=world.moment, key=key)
    assert len(world.operations()) == 1


def test_a_panel_that_dies_before_it_answers_has_requested_once(world: PanelWorld) -> None:
    program = world.program_of("Oscar")
    if (child := os.fork()) == 0:
        send(program, "one")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert send(program, "one").headers["idempotency-replayed"] == "true"
    assert len(world.operations()) == 1


def test_trying_again_with_a_key_goes_on_once(world: PanelWorld) -> None:
    run_operation(world.appliance, kind="backup")
    end_operation(world.appliance, 1, OperationStatus.NEEDS_ATTENTION)
    program = world.program_of("Oscar")
    first, second = (send(program, "one", {}, "operations/1/retry") for _ in range(2))
    assert (first.json()["status"], second.content) == ("queued", first.content)


@pytest.mark.parametrize("key", ["", " ", "a b", "ü".encode(), "x" * 256, b"\x00"])
def test_a_key_that_is_none_is_refused(world: PanelWorld, key: str | bytes) -> None:
    answer = world.program_of("Oscar").post(
        "/api/v1/operations", json=BACKUP, headers={b"Idempotency-Key": key if isinstance(key, bytes) else key.encode()}
    )
    assert answer.status_code == 422
    assert world.operations() == []
