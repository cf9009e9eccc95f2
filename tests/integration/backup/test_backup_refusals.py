"""What cannot be done is refused with a code, a reason and what was left unchanged."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.backup_disk import small_disk
from tests.support.backup_world import World


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", size_bytes=1024**2) as folder:
        yield folder


def test_a_wrong_password_is_told(saved: World) -> None:
    wrong = saved.directory / "wrong"
    wrong.write_text("another password")
    ended = saved.run("backup", **saved.backup_spec("p2", repository={**saved.repository, "password_file": str(wrong)}))
    assert (ended.code, ended.last["code"]) == (12, "wrong_password")
    assert "No recovery point was made" in ended.said


def test_a_missing_repository_is_told(saved: World) -> None:
    nowhere = replace(saved, location=saved.directory / "nowhere")
    ended = nowhere.run("points")
    assert (ended.code, ended.last["code"]) == (10, "no_repository")
    assert not nowhere.location.exists()


def test_a_repository_on_a_read_only_disk_takes_no_backup_but_gives_a_restore(saved: World, disk: Path) -> None:
    solid = replace(saved, location=disk / "repository")
    subprocess.run(["cp", "-a", str(saved.location), str(solid.location)], check=True)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused = solid.backup("p2")
    restored = solid.run("restore", **solid.restore_spec("p1", files={str(saved.uploads): str(saved.directory / "from-read-only")}))
    assert (refused.code, refused.last["code"]) == (1, "not_writable")
    assert restored.code == 0, restored


def test_a_stopped_database_and_a_missing_one_are_told_apart(saved: World) -> None:
    missing = saved.backup("p2", database=saved.cluster.spec("nothing_here"))
    stopped = saved.backup("p2", database={**saved.cluster.spec("tb_live"), "port": 15438})
    assert (missing.code, missing.last["code"]) == (1, "database_missing")
    assert (stopped.code, stopped.last["code"]) == (1, "database_stopped")
    assert "earlier recovery points are unchanged" in stopped.said


def test_a_database_that_is_not_empty_is_not_restored_into(saved: World) -> None:
    saved.cluster.create_crm("tb_copy", rows=1)
    ended = saved.run("restore", **saved.restore_spec("p1"))
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert "Nothing was restored" in ended.said


def test_a_directory_that_holds_anything_is_not_restored_into(saved: World) -> None:
    ended = saved.run("restore", **saved.restore_spec("p1", files={str(saved.uploads): str(saved.uploads)}))
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert str(saved.uploads) in ended.said


def test_a_restore_that_gives_other_figures_is_a_mismatch(world: World) -> None:
    assert world.backup("p1", checksums={"luck": "select random()"}, paths=[]).code == 0
    ended = world.run("restore", **world.restore_spec("p1", files=None))
    assert (ended.code, ended.last["code"]) == (1, "mismatch")
    assert [one["name"] for one in ended.last["differences"]] == ["luck"]
    assert "What is live is unchanged" in ended.said


def test_a_point_that_exists_is_not_made_again_and_one_that_does_not_is_not_restored(saved: World) -> None:
    again = saved.backup("p1")
    unknown = saved.run("restore", **saved.restore_spec("p9", files=None))
    assert (again.code, again.last["code"]) == (1, "point_exists")
    assert (unknown.code, unknown.last["code"]) == (1, "point_missing")


def test_a_restic_that_is_too_old_is_refused_before_anything_is_written(saved: World) -> None:
    programs = saved.directory / "old"
    programs.mkdir(exist_ok=True)
    (programs / "restic").write_text("#!/bin/sh\necho restic 0.14.0 compiled with go1.19.8 on linux/amd64\n")
    (programs / "restic").chmod(0o755)
    old = replace(saved, environment={"PATH": f"{programs}:/usr/bin:/bin"}, location=saved.directory / "new")
    ended = old.run("init")
    assert (ended.code, ended.last["code"]) == (1, "restic_too_old")
    assert not old.location.exists()


def test_a_link_to_a_directory_is_not_taken_for_its_files(saved: World, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(saved.uploads)
    ended = saved.backup("p2", paths=[str(tmp_path / "current")])
    assert (ended.code, ended.last["code"]) == (1, "path_missing")
    assert "Name the real ones" in ended.said


def test_a_query_that_fails_leaves_no_point(saved: World) -> None:
    ended = saved.backup("p2", database=saved.cluster.spec("tb_copy"), paths=[])
    assert (ended.code, ended.last["code"]) == (1, "bad_query")
    assert "contact" in ended.said
    assert saved.points() == ["p1"]


@pytest.mark.parametrize(
    "change",
    [
        {"paths": ["--password-command=touch /tmp/tbackup-pwned"]},
        {"crm": "demo --dry-run"},
        {"crm": "../demo"},
        {"point": "p1,part=record"},
        {"surprise": True},
    ],
)
def test_hostile_names_never_reach_a_program(saved: World, change: dict[str, object]) -> None:
    ended = saved.run("backup", **(saved.backup_spec("p3") | change))
    assert (ended.code, ended.last["code"]) == (2, "invalid")
    assert "Nothing was started" in ended.said
