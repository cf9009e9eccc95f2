"""Compare live files with a recovery point by their content: what nobody has changed since has to be what was saved."""

import random
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.locks import lease_file
from backup.points import RecoveryPoint
from backup.recorded import Contents, readable_contents
from backup.repository import Repository, SavedFile, open_repository
from backup.spec import CompareSpec

CLOCK_GRAIN = timedelta(seconds=1)
"""A file system's clock may be that much behind."""
CHUNK_BYTES = 1024 * 1024
SHARE_OF_ROOM = 4
"""What is laid beside takes up to a quarter of the room that is left."""
Finding = Literal["same", "changed since", "missing", "differing", "to read"]


def compare(spec: CompareSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Compare a sample, drawn anew each time; gives how many are as they were saved, and names those that are missing or differ.

    A file that was written since the point is expected to differ and counted apart. Raises a failure `point_missing`.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        repository.clear_stale_locks()
        point = _point(readable_contents(repository, crm=spec.crm), spec)
        sample = _sample(repository, point, spec)
        folder = _folder(repository, spec.crm)
        room_bytes = shutil.disk_usage(folder.parent).free // SHARE_OF_ROOM
        findings = {file: _at_a_glance(file, point) for file in sample.within(min(spec.sample_bytes, room_bytes))}
        to_read = [file for file, finding in findings.items() if finding == "to read"]
        with _restored(repository, point, to_read, folder):
            findings |= {file: _read_both(file, point, folder) for file in to_read}
    named = {finding: sorted(file.path for file, found in findings.items() if found == finding) for finding in ("missing", "differing")}
    return {
        "point": point.id,
        "at": point.at.isoformat(),
        "same": list(findings.values()).count("same"),
        "changed_since": list(findings.values()).count("changed since"),
        "missing": list(named["missing"]),
        "differing": list(named["differing"]),
        "saved": sample.seen,
    }


@dataclass(kw_only=True)
class _Sample:
    """So many files out of a stream of any length, each with the same chance; `seen` counts the stream."""

    size: int
    files: list[SavedFile] = field(default_factory=list)
    seen: int = 0

    def see(self, file: SavedFile) -> None:
        self.seen += 1
        if "\N{REPLACEMENT CHARACTER}" in file.path:  # restic cannot say what it is called
            return
        if len(self.files) < self.size:
            self.files.append(file)
        elif (place := random.SystemRandom().randrange(self.seen)) < self.size:
            self.files[place] = file

    def within(self, largest_bytes: int) -> Iterator[SavedFile]:
        """As many of them, in no order, as have altogether up to so many bytes."""
        for file in random.SystemRandom().sample(self.files, len(self.files)):
            if file.size <= largest_bytes:
                largest_bytes -= file.size
                yield file


def _point(found: Contents, spec: CompareSpec) -> RecoveryPoint:
    if spec.point:
        return found.point(spec.point)
    if point := next((point for point in found.points if point.snapshots.files), None):
        return point
    raise BackupFailure(f"There is no recovery point of {spec.crm} with files.", code="point_missing")


def _sample(repository: Repository, point: RecoveryPoint, spec: CompareSpec) -> _Sample:
    if not point.snapshots.files or not set(spec.paths) <= set(point.paths):
        raise BackupFailure(f"Recovery point {point.id} does not hold {', '.join(spec.paths)}.", code="part_missing")
    sample = _Sample(size=spec.sample)
    repository.see_files(point.snapshots.files, spec.paths, sample.see)
    return sample


def _at_a_glance(file: SavedFile, point: RecoveryPoint) -> Finding:
    try:
        status = Path(file.path).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    if status.st_mtime > (point.at - CLOCK_GRAIN).timestamp():
        return "changed since"
    return "to read" if stat.S_ISREG(status.st_mode) and status.st_size == file.size else "differing"


def _folder(repository: Repository, crm: str) -> Path:
    """Where what was saved is laid beside what is live; what a run that was killed has left there is removed."""
    lease = lease_file(repository.spec.location, repository.spec.lock_directory)
    folder = lease.with_suffix(f".compared-{crm}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@contextmanager
def _restored(repository: Repository, point: RecoveryPoint, files: Sequence[SavedFile], folder: Path) -> Iterator[None]:
    """What was saved of some files, below the folder for the length of the block."""
    folder.mkdir(mode=0o700)
    try:
        if files:
            with repository.stage("compare", sum(file.size for file in files)):
                repository.restore_files(str(point.snapshots.files), [file.path for file in files], target=str(folder))
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read_both(file: SavedFile, point: RecoveryPoint, folder: Path) -> Finding:
    saved = folder / file.path.removeprefix("/")
    try:
        is_same = _same(Path(file.path), saved)
    except FileNotFoundError:
        if not saved.exists():
            raise BackupFailure(f"{file.path!r} of recovery point {point.id} did not come back.", code="part_missing") from None
    else:
        if is_same:
            return "same"
    found = _at_a_glance(file, point)  # it may have been written, or removed, while it was read
    return "differing" if found == "to read" else found


def _same(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while chunk := first.read(CHUNK_BYTES):
            if chunk != second.read(CHUNK_BYTES):
                return False
        return not second.read(1)
