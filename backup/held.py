"""The files that a recovery point holds, looked at one by one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from backup.failures import BackupFailure
from backup.points import RecoveryPoint
from backup.recorded import point_held
from backup.repository import Repository
from backup.spec_values import PointId

SECOND_NS = 1_000_000_000


class HeldNode(BaseModel):
    """A file, directory or link as `restic ls --json` shows it; what is no UTF-8 in a name it shows as U+FFFD."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    message_type: Literal["node"]
    name: str
    type: str
    path: str
    size: int = 0
    mtime: str
    mode: int
    permissions: str

    @property
    def modified(self) -> datetime:
        """When it was changed last, to the microsecond."""
        return datetime.fromisoformat(self.mtime)

    @property
    def modified_ns(self) -> int:
        """The same in whole nanoseconds since 1970, as `os.stat` has it.

        >>> told = {"message_type": "node", "name": "a", "type": "file", "path": "/a", "mode": 420, "permissions": "-rw-r--r--"}
        >>> HeldNode(**told, mtime="1970-01-01T01:00:01.000000002+01:00").modified_ns
        1000000002
        """
        fraction = re.search(r"\.([0-9]+)", self.mtime)
        whole = int(self.modified.replace(microsecond=0).timestamp())
        return whole * SECOND_NS + int((fraction[1] if fraction else "").ljust(9, "0")[:9])

    def as_json(self) -> dict[str, JsonValue]:
        """What is told of it."""
        return {
            "name": self.name,
            "kind": self.type,
            "size": self.size,
            "modified": self.modified.isoformat(),
            "permissions": self.permissions,
        }


@dataclass(frozen=True, kw_only=True)
class HeldTree:
    """A tree of a recovery point: the directory `source` in a snapshot."""

    repository: Repository
    point: RecoveryPoint
    snapshot: str
    source: str

    @property
    def name(self) -> str:
        """What restic knows it by."""
        return f"{self.snapshot}:{self.source}"

    def each(self, path: str, take: Callable[[HeldNode], None], *, deeply: bool = False) -> None:
        """Hand over what is at a path inside: itself, unless it is the tree, then what is in it, by name; `deeply`, all below it, too."""

        def hear(line: str) -> None:
            if '"message_type":"node"' in line:
                take(HeldNode.model_validate_json(line))

        self.repository.list_nodes(self.name, f"/{path}", hear, deeply=deeply)

    def node(self, path: str) -> HeldNode | None:
        """What is at a path inside, None for the tree itself. Raises a failure `not_held`."""
        found: list[HeldNode] = []
        self.each(path, lambda node: found.append(node) if node.path == f"/{path}" else None)
        return self.required(path, found[0] if found else None)

    def required(self, path: str, found: HeldNode | None) -> HeldNode | None:
        """The same of what was found there."""
        if path and found is None:
            raise BackupFailure(f"Recovery point {self.point.id} holds nothing at {path!r}.", code="not_held")
        return found


def held_tree(repository: Repository, *, point: PointId, crm: str | None, source: str) -> HeldTree:
    """Find a tree of a recovery point. Raises a failure `part_missing`."""
    found = point_held(repository, point, crm=crm)
    if source not in found.paths or found.snapshots.files is None:
        raise BackupFailure(f"Recovery point {point} does not hold {source}.", code="part_missing")
    return HeldTree(repository=repository, point=found, snapshot=found.snapshots.files, source=source)
