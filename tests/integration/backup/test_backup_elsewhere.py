"""A repository on another machine, to which can only be added: rclone's REST server, with a password and nothing else."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.backup_world import World
from tests.support.rest_server import PASSWORD, USER, append_only_server, free_port


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The world of a host, and what it is told of the repository."""

    world: World
    repository: dict[str, Any]

    def run(self, verb: str, **spec: Any) -> Any:
        return self.world.run(verb, repository=self.repository, **spec)

    def backup(self, point: str) -> Any:
        return self.world.ended(self.world.start("backup", self.world.backup_spec(point, repository=self.repository)))


@pytest.fixture
def elsewhere(world: World) -> Iterator[Elsewhere]:
    (world.directory / "user").write_text(USER)
    (world.directory / "adding").write_text(PASSWORD)
    with append_only_server(world.directory / "elsewhere") as port:
        repository = {
            **world.repository,
            "location": f"rest:http://127.0.0.1:{port}/crm/",
            "lock_directory": str(world.directory / "leases"),
            "credentials": {"RESTIC_REST_USERNAME": str(world.directory / "user"), "RESTIC_REST_PASSWORD": str(world.directory / "adding")},
        }
        made = Elsewhere(world=world, repository=repository)
        run = made.run("init")
        assert run.last.get("created") is True, run
        yield made


def test_a_point_is_made_listed_and_restored(elsewhere: Elsewhere) -> None:
    assert elsewhere.backup("p1").code == 0
    assert [point["id"] for point in elsewhere.run("points").last["points"]] == ["p1"]
    restored = elsewhere.world.ended(elsewhere.world.start("restore", elsewhere.world.restore_spec("p1", repository=elsewhere.repository)))
    assert (restored.code, restored.last["counts"]) == (0, {"contacts": 300})


def test_who_can_add_can_remove_nothing(elsewhere: Elsewhere) -> None:
    assert elsewhere.backup("p1").code == 0
    refused = elsewhere.run("forget", crm="demo", points=["p1"])
    assert (refused.code, refused.last["code"]) == (1, "nothing_removed")
    assert [point["id"] for point in elsewhere.run("points").last["points"]] == ["p1"]
    assert elsewhere.run("check", read_data=True).code == 0


def test_a_point_that_was_copied_there_is_restored_when_the_first_repository_is_gone(elsewhere: Elsewhere) -> None:
    world = elsewhere.world
    for point in ("p1", "p2"):
        assert world.backup(point).code == 0
    copied = [elsewhere.run("copy", source=world.repository).last["snapshots"] for _ in range(2)]
    assert copied == [6, 0]
    shutil.rmtree(world.location)
    assert [point["id"] for point in elsewhere.run("points").last["points"]] == ["p2", "p1"]
    assert elsewhere.run("leftovers").last["leftovers"] == []
    restored = world.ended(world.start("restore", world.restore_spec("p1", repository=elsewhere.repository)))
    assert (restored.code, restored.last.get("counts")) == (0, {"contacts": 300}), restored


def test_a_wrong_password_of_the_server_is_said(elsewhere: Elsewhere) -> None:
    (elsewhere.world.directory / "adding").write_text("not it")
    refused = elsewhere.backup("p1")
    assert (refused.code, "401" in refused.said) == (1, True)
    assert PASSWORD not in refused.said


def test_a_server_that_is_away_is_said_in_time(elsewhere: Elsewhere) -> None:
    gone = elsewhere.repository | {"location": f"rest:http://127.0.0.1:{free_port()}/crm/"}
    refused = elsewhere.world.run("points", repository=gone, deadline_seconds=20)
    assert (refused.code, refused.last["code"]) == (1, "deadline")
