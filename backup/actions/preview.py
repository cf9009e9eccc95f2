"""Say what would change if files of a recovery point were put where they were."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import leaving_unchanged
from backup.held import HeldNode, held_tree
from backup.repository import open_repository
from backup.spec_files import PreviewSpec

TYPES = {"file": stat.S_IFREG, "symlink": stat.S_IFLNK}


@dataclass(kw_only=True)
class Comparison:
    """Takes what the point holds at a place; what is new or changed is counted, and the first of each are named."""

    target: Path
    most_named: int
    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "changed": 0, "same": 0})
    named: dict[str, list[str]] = field(default_factory=lambda: {"new": [], "changed": []})
    bytes: int = 0
    found: bool = False

    def take(self, node: HeldNode) -> None:
        """Compare one with what is there now."""
        self.found = True
        if node.type not in TYPES:
            return
        how = _how(node, self.target / node.path.lstrip("/"))
        self.counts[how] += 1
        if how != "same":
            self.bytes += node.size
            if len(self.named[how]) < self.most_named:
                self.named[how].append(node.path.lstrip("/"))


def preview(spec: PreviewSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Count what is new, changed and the same, and what is there but not held (`gone`); `bytes` is how much would be written.

    Raises a failure `part_missing` or `not_held`.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        tree = held_tree(repository, point=spec.point, crm=spec.crm, source=spec.source)
        found = Comparison(target=Path(spec.target), most_named=spec.named)
        tree.each(spec.path, found.take, deeply=True)
        if not found.found:
            tree.node(spec.path)
    there = _files_in(Path(spec.target, spec.path))
    named: dict[str, JsonValue] = {how: list(names) for how, names in found.named.items()}
    gone = max(there - found.counts["changed"] - found.counts["same"], 0)
    return {**found.counts, "gone": gone, "bytes": found.bytes, "named": named}


def _files_in(place: Path) -> int:
    """How many files and links are there now."""
    if place.is_symlink() or place.is_file():
        return 1
    return sum(len(files) + sum(Path(folder, one).is_symlink() for one in folders) for folder, folders, files in os.walk(place))


def _how(node: HeldNode, path: Path) -> str:
    """As `placing.is_same` would decide; a name that is no UTF-8 is not found, and counts as new."""
    try:
        there = os.lstat(path)
    except (OSError, ValueError):
        return "new"
    same_type = stat.S_IFMT(there.st_mode) == TYPES[node.type]
    return (
        "same"
        if same_type and there.st_mtime_ns == node.modified_ns and (node.type == "symlink" or there.st_size == node.size)
        else "changed"
    )
