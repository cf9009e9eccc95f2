"""Where an instance asks for it, what changes it begins only when a second person has agreed."""

import pytest

from appliance.domain.operation import Operation, OperationStatus
from tests.support.web_world import NOON, Browser, PanelWorld

UPGRADE = {"kind": "upgrade", "instance": "sales", "parameters": {"to": "2.8.6"}}


@pytest.fixture
def asking(world: PanelWorld) -> PanelWorld:
    """Sales asks for a second person."""
    world.appliance.store.instances.ask_approval("sales", wanted=True, by="Alice", now=NOON)
    return world


def requested(world: PanelWorld, name: str = "Oscar", **changed: object) -> Operation:
    answer = world.program_of(name).post("/api/v1/operations", json={**UPGRADE, **changed})
    assert answer.status_code == 202, answer.text
    return world.operations()[0]


def claimed(world: PanelWorld) -> Operation | None:
    return world.appliance.store.operations.claim(now=NOON)


def test_an_upgrade_waits_until_somebody_else_agrees(asking: PanelWorld, oscar: Browser, alice: Browser) -> None:
    operation = requested(asking)
    assert (operation.awaits_approval, claimed(asking)) == (True, None)
    assert "It waits until somebody else agrees" in oscar.get("/operations/1").text
    assert "/operations/1/approve" not in oscar.get("/operations/1").text
    assert "/operations/1/approve" in alice.get("/operations/1").text
    assert alice.post("/operations/1/approve").status_code == 303
    begun = claimed(asking)
    assert begun is not None
    assert (begun.id, begun.approved_by) == (1, "Alice")


def test_who_requested_it_cannot_approve_it(asking: PanelWorld) -> None:
    requested(asking)
    refused = asking.program_of("Oscar").post("/api/v1/operations/1/approve")
    assert (refused.status_code, "somebody else has to approve" in refused.json()["detail"]) == (422, True)
    assert claimed(asking) is None


def test_a_viewer_approves_nothing(asking: PanelWorld) -> None:
    requested(asking)
    assert asking.program_of("Victor").post("/api/v1/operations/1/approve").status_code == 403


def test_an_approval_is_given_once(asking: PanelWorld) -> None:
    requested(asking)
    program = asking.program_of("Alice")
    assert program.post("/api/v1/operations/1/approve").json()["status"] == "queued"
    assert program.post("/api/v1/operations/1/approve").status_code == 409


def test_what_waits_can_be_cancelled(asking: PanelWorld, oscar: Browser) -> None:
    requested(asking)
    assert oscar.post("/operations/1/cancel").status_code == 303
    assert asking.operations()[0].status is OperationStatus.CANCELLED


def test_a_backup_needs_nobody(asking: PanelWorld) -> None:
    assert not requested(asking, kind="backup", parameters={}).awaits_approval


def test_an_instance_that_does_not_ask_is_upgraded_at_once(world: PanelWorld) -> None:
    assert not requested(world).awaits_approval


def test_only_an_administrator_says_whether_it_asks(world: PanelWorld, alice: Browser, oscar: Browser) -> None:
    assert oscar.post("/instances/sales/approval", {"wanted": "yes"}).status_code == 403
    assert alice.post("/instances/sales/approval", {"wanted": "yes"}).status_code == 303
    assert world.program_of("Victor").get("/api/v1/instances/sales").json()["asks_approval"]
    assert world.program_of("Alice").post("/api/v1/instances/sales/approval", json={"wanted": False}).status_code == 204
    assert not world.appliance.store.instances.get("sales").asks_approval
    assert world.program_of("Alice").post("/api/v1/instances/nobody/approval", json={"wanted": True}).status_code == 404
