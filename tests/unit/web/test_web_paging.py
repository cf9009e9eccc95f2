"""Lists of the API, a page at a time: each row once, whatever is added meanwhile."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from httpx import Client

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from tests.support.web_world import NOON, PanelWorld, end_operation, run_operation

HOUR = timedelta(hours=1)
LISTS = ("operations", "audit", "instances", "recovery-points", "instances/sales/recovery-points", "instances/sales/outages", "drills")
MORE_LISTS = ("sessions", "notices", "products/creme/instances", "calendar")


def add_drills(world: PanelWorld, count: int = 5) -> None:
    for number in range(count):
        operation = run_operation(world.appliance, kind="drill", now=NOON + number * HOUR)
        end_operation(world.appliance, operation.id, OperationStatus.SUCCEEDED)


def add_points(world: PanelWorld) -> None:
    """At the same moment, so that only the ids tell them apart."""
    for name in ("sales", "gone"):
        for number in range(3, 6):
            world.appliance.store.points.add(
                RecoveryPoint(id=f"{name}-{number}", instance=name, at=NOON, repository="local", record={"release": "2.7.13"})
            )


def add_instances(world: PanelWorld) -> None:
    sales = world.appliance.store.instances.get("sales")
    for number in range(1, 5):
        world.appliance.store.instances.add(replace(sales, name=f"crm{number}", slot=number))


def add_notices(world: PanelWorld) -> None:
    for number in range(5):
        world.appliance.store.notices.add("sales", f"notice {number}", by="Oscar", now=NOON)


def add_sessions(world: PanelWorld) -> None:
    for _ in range(5):
        world.appliance.store.access.open_session("Alice", now=NOON)


def pages(program: Client, address: str) -> list[list[dict[str, Any]]]:
    """What following `next` gives."""
    found = []
    while address:
        answer = program.get(address)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        found.append(next(rows for rows in said.values() if isinstance(rows, list)) if isinstance(said, dict) else said)
        address = answer.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize(
    ("path", "name", "add"),
    [
        ("operations", "id", add_drills),
        ("audit", "number", add_drills),
        ("drills", "operation", add_drills),
        ("recovery-points", "id", add_points),
        ("instances/sales/recovery-points", "id", add_points),
        ("instances", "name", add_instances),
        ("products/creme/instances", "instance", add_instances),
        ("notices", "id", add_notices),
        ("sessions", "id", add_sessions),
    ],
)
def test_following_next_gives_every_row_once_and_in_order(
    world: PanelWorld, path: str, name: str, add: Callable[[PanelWorld], None]
) -> None:
    add(world)
    program = world.program_of("Alice")
    (whole,) = pages(program, f"/api/v1/{path}?limit=200")
    found = pages(program, f"/api/v1/{path}?limit=2")
    assert [row for page in found for row in page] == whole
    assert [len(page) for page in found[:-1]] == [2] * (len(found) - 1)
    assert len({row[name] for row in whole}) == len(whole) >= 5


def test_what_is_added_meanwhile_moves_nothing(world: PanelWorld) -> None:
    add_drills(world, 3)
    program = world.program_of("Victor")
    first = program.get("/api/v1/operations?limit=2&instance=sales")
    add_drills(world, 2)
    second = program.get(first.links["next"]["url"]).json()
    assert [[one["id"] for one in page["operations"]] for page in (first.json(), second)] == [[3, 2], [1]]


def test_operations_are_narrowed_by_when_they_were_requested_and_the_next_page_too(world: PanelWorld) -> None:
    add_drills(world)
    program = world.program_of("Victor")
    found = pages(program, "/api/v1/operations?limit=1&since=2026-03-02T13:00:00Z&until=2026-03-02T15:00:00Z&kind=drill&status=succeeded")
    assert [[one["id"] for one in page] for page in found] == [[3], [2]]


def test_a_long_log_leads_on(world: PanelWorld) -> None:
    operation = run_operation(world.appliance)
    world.appliance.store.logs.add(operation.id, "one\ntwo\nthree", step="build", now=NOON)
    found = pages(world.program_of("Victor"), "/api/v1/operations/1/log?limit=2")
    assert [[line["text"] for line in page] for page in found] == [["looking at the disk", "one"], ["two", "three"]]


def test_the_last_page_leads_nowhere(world: PanelWorld) -> None:
    assert "link" not in world.program_of("Alice").get("/api/v1/operations").headers


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


WRONG_CURSORS = [
    "x",
    "!!!!",
    "\u00fc",
    encoded([]),
    encoded(7),
    encoded(None),
    encoded(["x", "y", "z", 1]),
    encoded([2**70]),
    encoded([True]),
]


@pytest.mark.parametrize("cursor", [*WRONG_CURSORS, encoded(["2026-03-02T12:00:00", 1])])
@pytest.mark.parametrize("path", [*LISTS, *MORE_LISTS])
def test_a_wrong_cursor_is_refused_by_name(world: PanelWorld, path: str, cursor: str) -> None:
    answer = world.program_of("Alice").get(f"/api/v1/{path}", params={"cursor": cursor})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["field"] == "cursor"
