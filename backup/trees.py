"""Bring the files of a recovery point back into new directories."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from backup import ownership
from backup.failures import BackupFailure
from backup.on_disk import on_disk
from backup.points import RecoveryPoint
from backup.repository import Repository


def require_trees(point: RecoveryPoint, files: Mapping[str, str], *, owner: str | None) -> None:
    """Raise what stands against it: a failure `part_missing` for a directory that the point does not hold, `not_empty` for a target."""
    if unknown := sorted(set(files) - set(point.paths)):
        raise BackupFailure(
            f"Recovery point {point.id} does not hold {', '.join(unknown)}. It holds: {', '.join(point.paths) or 'no files'}.",
            code="part_missing",
        )
    for target in files.values():
        require_new(Path(target))
    if owner:
        ownership.ids_of(owner)


def require_new(directory: Path) -> None:
    """Raise a failure `not_empty` for what is there already and no empty directory."""
    if directory.is_symlink() or (directory.exists() and (not directory.is_dir() or any(directory.iterdir()))):
        raise BackupFailure(f"{directory} exists and is not an empty directory. Restore into a new one.", code="not_empty")


def restore_trees(repository: Repository, point: RecoveryPoint, files: Mapping[str, str], *, owner: str | None) -> None:
    """Restore and verify each source into its target; all of it is on the disk at the end. Without `owner` the ids are as they were."""
    with ExitStack() as written:
        for source, target in files.items():
            written.enter_context(on_disk(Path(target)))
            _restore(repository, point, source=source, target=target, owner=owner)


def _restore(repository: Repository, point: RecoveryPoint, *, source: str, target: str, owner: str | None) -> None:
    size = point.sizes.get("files") if point.paths == [source] else None
    with repository.stage("files", size):
        repository.restore_tree(str(point.snapshots.files), source=source, target=target)
        if size:
            repository.executor.reporter.progress("files", bytes_done=size, bytes_total=size)
    ownership.apply(repository.directory(str(point.snapshots.files), source), target)
    if owner:
        ownership.give_to(owner, target)
