"""Move restored files to where a CRM is serving from. What they take the place of is kept, and no link of the CRM's leads elsewhere.

The tree belongs to the CRM's own user, who could put a link where a directory was. So every step down is made from the directory
before, by its descriptor, and follows no link.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from backup.failures import BackupFailure

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
KEPT_MODE = 0o700


@dataclass(kw_only=True)
class Placed:
    """How many files were put where nothing was, took the place of another one, or were there already."""

    new: int = 0
    replaced: int = 0
    same: int = 0


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two files are taken to be the same, without being read: of one type, length and time of change."""
    return (stat.S_IFMT(one.st_mode), one.st_size, one.st_mtime_ns) == (stat.S_IFMT(other.st_mode), other.st_size, other.st_mtime_ns)


def place(stage: Path, *, target: Path, kept: Path) -> Placed:
    """Move everything below `stage` to the same place below `target`; what was there is below `kept`. May be called again at any time.

    Raises a failure `target` where something cannot be put.
    """
    placed = Placed()
    for folder, _folders, files in os.walk(stage):
        inside = Path(folder).relative_to(stage)
        try:
            with _directory(target, inside, like=stage, kept=kept) as there:
                for name in (*files, *(one for one in _folders if Path(folder, one).is_symlink())):
                    _place(Path(folder, name), name, there, kept / inside, placed)
        except OSError as error:
            raise BackupFailure(f"{target / inside} cannot be written: {error.strerror}.", code="target") from error
    return placed


@contextmanager
def _directory(target: Path, inside: Path, *, like: Path, kept: Path) -> Iterator[int]:
    """Open a directory of the target, step by step; one that is missing is made as it was, and what is in its way is kept."""
    descriptor = os.open(target, DIRECTORY)
    try:
        for number, name in enumerate(inside.parts):
            _make_like(like.joinpath(*inside.parts[: number + 1]), name, descriptor, kept.joinpath(*inside.parts[:number]))
            below = os.open(name, DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _make_like(model: Path, name: str, parent: int, kept: Path) -> None:
    there = _stat(name, parent)
    if there is not None and not stat.S_ISDIR(there.st_mode):
        _set_aside(name, parent, kept)
        there = None
    if there is None:
        found = model.stat()
        os.mkdir(name, mode=0o700, dir_fd=parent)
        made = os.open(name, DIRECTORY, dir_fd=parent)
        try:
            os.fchown(made, found.st_uid, found.st_gid)
            os.fchmod(made, stat.S_IMODE(found.st_mode))
        finally:
            os.close(made)


def _place(source: Path, name: str, there: int, kept: Path, placed: Placed) -> None:
    found = _stat(name, there)
    if found is None:
        placed.new += 1
    elif is_same(source.lstat(), found):
        placed.same += 1
        return
    else:
        _keep(name, there, kept)
        placed.replaced += 1
    os.rename(source, name, dst_dir_fd=there)


def _keep(name: str, parent: int, kept: Path) -> None:
    """Keep a file by a second name, so that it is at its place until the other one is; a directory has to go first."""
    try:
        found = _stat(name, parent)
        if found is not None and stat.S_ISDIR(found.st_mode):
            _set_aside(name, parent, kept)
            return
        _make(kept)
        os.link(name, _free(kept / name, found), src_dir_fd=parent, follow_symlinks=False)
    except FileExistsError:  # an earlier call came as far as this
        return


def _set_aside(name: str, parent: int, kept: Path) -> None:
    _make(kept)
    os.rename(name, _free(kept / name, None), src_dir_fd=parent)


def _make(kept: Path) -> None:
    kept.mkdir(mode=KEPT_MODE, parents=True, exist_ok=True)


def _free(wanted: Path, found: os.stat_result | None) -> Path:
    """A name that nothing has; the one that this very file has already, if it does."""
    number, name = 1, wanted
    while (taken := _lstat(name)) is not None and not (found and os.path.samestat(taken, found)):
        number += 1
        name = wanted.with_name(f"{wanted.name}.{number}")
    return name


def _stat(name: str, parent: int) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    return None


def _lstat(path: Path) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return path.lstat()
    return None
