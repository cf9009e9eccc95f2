"""A restic that stands still after its disk was full is given up, and no other."""

from pathlib import Path

import pytest

from backup import full_disk
from backup.failures import BackupFailure
from backup.full_disk import LITTLE_BYTES, PATIENCE_SECONDS, FullDisk


class Standing:
    """A clock and a disk that are set by hand."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds, self.free = 0.0, LITTLE_BYTES
        self.disk = FullDisk(location=str(tmp_path), now=lambda: self.seconds)
        monkeypatch.setattr(full_disk, "_free_bytes", lambda _: self.free)

    def see(self, done_bytes: int, *, after_seconds: float = 0) -> None:
        self.seconds += after_seconds
        self.disk.see(done_bytes)


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    return Standing(tmp_path, monkeypatch)


def test_one_that_stands_still_is_given_up_also_when_there_is_room_again(standing: Standing) -> None:
    standing.free = 0
    standing.see(5)
    standing.free = LITTLE_BYTES
    standing.see(5, after_seconds=PATIENCE_SECONDS)
    with pytest.raises(BackupFailure, match="is full, or was") as given_up:
        standing.see(5, after_seconds=1)
    assert given_up.value.code == "disk_full"


def test_one_that_moves_on_is_left_alone_however_little_is_free(standing: Standing) -> None:
    standing.free = 0
    for done in range(5):
        standing.see(done, after_seconds=2 * PATIENCE_SECONDS)
    assert (standing.disk.done_bytes, standing.disk.was_full) == (4, True)


def test_one_that_waits_for_a_long_dump_is_left_alone_where_there_is_room(standing: Standing) -> None:
    for _ in range(5):
        standing.see(5, after_seconds=2 * PATIENCE_SECONDS)
    assert not standing.disk.was_full


def test_a_directory_that_is_gone_is_left_to_restic(tmp_path: Path) -> None:
    disk = FullDisk(location=str(tmp_path / "gone"))
    disk.see(1)
    assert not disk.was_full
