"""Bring some files of a recovery point back, to where they were or beside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from backup import ownership, restic_arguments
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.held import HeldNode, HeldTree, held_tree
from backup.on_disk import on_disk
from backup.placing import Placed, place
from backup.repository import open_repository
from backup.spec_files import PutSpec
from backup.streaming import into_file

UNCHANGED = "Nothing was changed."
PARTLY = "Some files may have been put already; what they took the place of is kept. Try again: it goes on where it was."


def put(spec: PutSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Restore into the stage, verify, then move to the target. Raises a failure `part_missing`, `not_held`, `no_file` or `target`."""
    with leaving_unchanged(UNCHANGED), _staged(Path(spec.stage)) as stage:
        repository = open_repository(spec.repository, reporter)
        tree = held_tree(repository, point=spec.point, crm=spec.crm, source=spec.source)
        ownership.ids_of(spec.owner)
        for path in spec.paths:
            _restore(tree, path, stage)
        ownership.give_to(spec.owner, str(stage))
        with leaving_unchanged(PARTLY), on_disk(Path(spec.target)):
            placed = _move(stage, spec)
    return {"new": placed.new, "replaced": placed.replaced, "same": placed.same}


@contextmanager
def _staged(stage: Path) -> Iterator[Path]:
    """An empty directory, which is gone afterwards."""
    shutil.rmtree(stage, ignore_errors=True)
    try:
        stage.mkdir(parents=True, mode=0o700)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _restore(tree: HeldTree, path: str, stage: Path) -> None:
    """One file or directory, at its place below the stage, with the directories above it as they were."""
    node = tree.node(path)
    _make_parents(tree, path, stage)
    target = stage / path
    if node is None or node.type == "dir":
        with tree.repository.stage("files"):
            tree.repository.restore_tree(tree.snapshot, source=f"{tree.source}/{path}" if path else tree.source, target=str(target))
    elif node.type == "file":
        into_file(tree.repository.executor, restic_arguments.dump_part(tree.name, f"/{path}", archive="tar"), target, node.size)
    else:
        raise BackupFailure(f"{path!r} is a {node.type}, neither a file nor a directory; restore the folder that it is in.", code="no_file")
    if node is not None:
        _dress(node, target)


def _make_parents(tree: HeldTree, path: str, stage: Path) -> None:
    for parent in reversed(Path(path).parents):
        if (made := stage / parent) != stage and not made.exists():
            made.mkdir()
            if (node := tree.node(str(parent))) is not None:
                _dress(node, made)


def _dress(node: HeldNode, target: Path) -> None:
    target.chmod(ownership.unix_mode(node.mode))
    os.utime(target, ns=(node.modified_ns, node.modified_ns))


def _move(stage: Path, spec: PutSpec) -> Placed:
    target = Path(spec.target)
    if spec.kept is not None:
        return place(stage, target=target, kept=Path(spec.kept))
    if target.exists():
        raise BackupFailure(f"{target} exists already.", code="target")
    target.parent.mkdir(parents=True, exist_ok=True)
    files = sum(len(files) for _, _, files in os.walk(stage))
    stage.rename(target)
    return Placed(new=files)
