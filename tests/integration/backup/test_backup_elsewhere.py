"""A repository on another machine, to which can only be added: rclone's REST server, with a password and nothing else."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_world import World
from tests.support.rest_server import PASSWORD, append_only_server, free_port


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
def elsewhere(world: World, empty_repository: Path) -> Iterator[Elsewhere]:
    """A repository is there already, whose key costs little."""
    shutil.copytree(empty_repository, world.directory / "elsewhere" / "crm")
    with append_only_server(world.directory / "elsewhere") as port:
        yield Elsewhere(world=world, repository=world.repository_at(port))


def test_a_repository_is_made_there_once(world: World) -> None:
    with append_only_server(world.directory / "elsewhere") as port:
        elsewhere = Elsewhere(world=world, repository=world.repository_at(port))
        assert [elsewhere.run("init").last.get("created") for _ in range(2)] == [True, False]
        assert elsewhere.backup("p1").code == 0


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


def test_files_that_a_host_has_saved_again_with_less_in_them_are_not_taken_for_the_points_own(elsewhere: Elsewhere) -> None:
    world = elsewhere.world
    assert elsewhere.backup("p1").code == 0
    argv = ["restic", "--no-cache", "--repo", elsewhere.repository["location"], "--password-file", elsewhere.repository["password_file"]]
    login = {name: Path(file).read_text().strip() for name, file in elsewhere.repository["credentials"].items()}
    subprocess.run([*argv, "rewrite", "--tag", "part=files", "--exclude", "*"], env=os.environ | login, check=True, capture_output=True)
    restored = world.ended(world.start("restore", world.restore_spec("p1", repository=elsewhere.repository)))
    assert restored.code == 0
    back = sorted(path.relative_to(world.directory / "restored") for path in (world.directory / "restored").rglob("*"))
    assert back == sorted(path.relative_to(world.uploads) for path in world.uploads.rglob("*")) != []


def test_a_wrong_password_of_the_server_is_said(elsewhere: Elsewhere) -> None:
    (elsewhere.world.directory / "adding").write_text("not it")
    refused = elsewhere.backup("p1")
    assert (refused.code, "401" in refused.said) == (1, True)
    assert PASSWORD not in refused.said


def test_a_server_that_is_away_is_said_in_time(elsewhere: Elsewhere) -> None:
    gone = elsewhere.repository | {"location": f"rest:http://127.0.0.1:{free_port()}/crm/"}
    refused = elsewhere.world.run("points", repository=gone, deadline_seconds=5)
    assert (refused.code, refused.last["code"]) == (1, "deadline")


def test_the_newest_of_what_is_kept_beside_the_points_comes_back(elsewhere: Elsewhere) -> None:
    world = elsewhere.world
    for content in ("first", "second"):
        (world.directory / "state").write_text(content)
        kept = elsewhere.run("keep", name="appliance", file=str(world.directory / "state"), last=1)
        assert kept.code == 0, kept
    fetched = elsewhere.run("fetch", name="appliance", target=str(world.directory / "fetched"))
    assert (fetched.code, (world.directory / "fetched").read_text()) == (0, "second")
    assert (world.directory / "fetched").stat().st_mode & 0o777 == 0o600
    assert [point["id"] for point in elsewhere.run("points").last["points"]] == []
    again = elsewhere.run("fetch", name="appliance", target=str(world.directory / "fetched"))
    assert (again.code, again.last["code"], (world.directory / "fetched").read_text()) == (1, "target", "second")
    none = elsewhere.run("fetch", name="other", target=str(world.directory / "other"))
    assert (none.code, none.last["code"]) == (1, "nothing_kept")


def test_only_the_newest_of_what_is_kept_stay_where_can_be_removed(world: World) -> None:
    assert world.run("init", repository=world.repository).code == 0
    (world.directory / "state").write_text("state")
    kept = [world.run("keep", repository=world.repository, name="appliance", file=str(world.directory / "state"), last=2) for _ in range(3)]
    assert [run.last["kept"] for run in kept] == [1, 2, 2]
    missing = world.run("keep", repository=world.repository, name="appliance", file=str(world.directory / "gone"))
    assert (missing.code, missing.last["code"]) == (1, "unreadable")


def test_a_second_password_opens_the_repository_when_the_first_is_lost(elsewhere: Elsewhere) -> None:
    world = elsewhere.world
    assert elsewhere.backup("p1").code == 0
    (world.directory / "second").write_text("of the recovery kit")
    added = [elsewhere.run("key", new_password_file=str(world.directory / "second")) for _ in range(2)]
    assert [run.last["added"] for run in added] == [True, False], added
    world.password_file.write_text("forgotten")
    assert elsewhere.run("points").code == 12
    opened = world.run("points", repository=elsewhere.repository | {"password_file": str(world.directory / "second")})
    assert [point["id"] for point in opened.last["points"]] == ["p1"]
    (world.directory / "third").write_text("another")
    refused = elsewhere.run("key", new_password_file=str(world.directory / "third"))
    assert (refused.code, refused.last["code"]) == (12, "wrong_password")
