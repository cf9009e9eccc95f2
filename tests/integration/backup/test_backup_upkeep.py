"""A repository is created once, checked, and given up point by point."""

import os
from pathlib import Path

from tests.support.backup_world import World


def test_creating_a_repository_again_changes_nothing(world: World) -> None:
    before = (world.location / "config").read_bytes()
    again = world.run("init")
    assert (again.code, again.last["created"]) == (0, False)
    assert (world.location / "config").read_bytes() == before


def test_a_directory_with_other_files_does_not_become_a_repository(world: World) -> None:
    ended = world.run("init", repository={**world.repository, "location": str(world.uploads)})
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert len(list(world.uploads.iterdir())) == 2


def test_a_flipped_bit_is_found_only_by_reading_the_data_and_never_restored(saved_copy: World) -> None:
    pack = max((saved_copy.location / "data").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    damaged = bytearray(pack.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(damaged)
    assert saved_copy.run("check").code == 0
    found = saved_copy.run("check", read_data=True)
    assert (found.code, found.last["code"]) == (1, "damaged")
    restored = saved_copy.run("restore", **saved_copy.restore_spec("p1"))
    assert restored.code == 1, restored
    assert "incomplete" in restored.said


def test_a_whole_repository_passes_a_check_of_a_part_of_its_data(saved: World) -> None:
    ended = saved.run("check", read_data_subset="1/2")
    assert (ended.code, ended.last["errors"], ended.last["data_read"]) == (0, 0, "1/2")


def test_forgetting_a_point_gives_its_space_back_and_keeps_the_others(saved_copy: World) -> None:
    (saved_copy.uploads / "big").write_bytes(os.urandom(2_000_000))
    assert saved_copy.backup("p2", database=None).code == 0
    (saved_copy.uploads / "big").unlink()
    before = size_of(saved_copy.location)
    ended = saved_copy.run("forget", crm="demo", points=["p2"])
    assert (ended.code, ended.last["forgotten"]) == (0, ["p2"])
    assert size_of(saved_copy.location) < before - 1_900_000
    assert saved_copy.points() == ["p1"]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
