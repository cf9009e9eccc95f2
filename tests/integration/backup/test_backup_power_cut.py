"""What is said to be restored is still there after the power was cut: on a disk that loses whatever was not written to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.backup_disk import after_power_cut, disk_with_power, power_off
from tests.support.backup_world import World


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with disk_with_power(tmp_path / "disk") as disk:
        yield disk


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cut_power(disk: Path) -> None:
    power_off(disk)
    after_power_cut(disk)


def test_restored_files_outlive_a_power_cut(saved: World, disk: Path) -> None:
    assert saved.run("restore", point="p1", files={str(saved.uploads): str(disk / "restored")}).code == 0
    cut_power(disk)
    assert contents_of(disk / "restored") == contents_of(saved.uploads) != {}


def test_files_that_were_put_back_outlive_a_power_cut(saved: World, disk: Path) -> None:
    put = saved.run(
        "put", point="p1", source=str(saved.uploads), paths=[""], stage=str(disk / "stage"), target=str(disk / "put"), owner="root"
    )
    assert put.code == 0, put
    cut_power(disk)
    assert contents_of(disk / "put") == contents_of(saved.uploads) != {}
