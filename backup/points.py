"""Recovery points: what is known of each, kept as a snapshot of its own in the repository.

A point exists if and only if its record snapshot exists. The record is written last, so that an interrupted backup
leaves snapshots of a database or of files ("leftovers"), never a point.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, JsonValue

from backup.binlog import BinlogPosition
from backup.wal import WalPosition

RECORD_FILE = "record.json"
LONGEST_RUN = timedelta(days=1)
"""What another machine has saved for longer without making a recovery point of it, it has left behind."""


class PointSnapshots(BaseModel):
    """Full ids of the restic snapshots that hold a point's data."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    database: str | None = None
    files: str | None = None


class PointQueries(BaseModel):
    """The questions that a point's counts and checksums answered, so that a restore can ask them again."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    counts: dict[str, str] = {}
    checksums: dict[str, str] = {}


class RecoveryPoint(BaseModel):
    """One moment that a CRM can be brought back to. Other fields are facts that the caller wanted kept with it.

    `at` is the moment of the data (the database's snapshot), not of the end of the backup.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str
    crm: str
    at: AwareDatetime
    snapshots: PointSnapshots
    engine: str | None = None
    paths: list[str] = []
    counts: dict[str, int] = {}
    checksums: dict[str, str] = {}
    queries: PointQueries = PointQueries()
    wal: WalPosition | None = None
    binlog: BinlogPosition | None = None
    sizes: dict[str, int] = {}
    bytes_added: int
    bytes_processed: int
    duration_seconds: float
    restic_version: str
    warnings: list[str] = []

    def as_json(self) -> dict[str, JsonValue]:
        """Give the record as plain JSON values."""
        dumped: dict[str, JsonValue] = self.model_dump(mode="json")
        return dumped


RESERVED_NAMES = frozenset(RecoveryPoint.model_fields) | {"event"}

Part = Literal["database", "files", "record", "base", "base-record", "wal", "binlog"]
DATA_PARTS = ("database", "files", "base", "wal", "binlog")
RECORD_PARTS = ("record", "base-record")


class Snapshot(BaseModel):
    """One restic snapshot, as `restic snapshots --json` lists it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    time: AwareDatetime
    hostname: str = ""
    tags: list[str] = []
    paths: list[str] = []
    original: str | None = None
    """What it was called in the repository that it was copied from."""
    tree: str = ""
    """The digest of all that it holds."""

    def tag(self, name: str) -> str | None:
        """Give the value of the tag NAME=value, if there is one."""
        return next((tag.removeprefix(f"{name}=") for tag in self.tags if tag.startswith(f"{name}=")), None)


def names_here(snapshots: Sequence[Snapshot]) -> dict[str, str]:
    """Give the id that each snapshot has here, by the one that records know it by.

    What is here by its own id is that one, whoever says to be it: the id is the digest of what it holds.
    """
    ids = {one.id for one in snapshots}
    return {one.original: one.id for one in snapshots if one.original and one.original not in ids}


def claimed_twice(snapshots: Sequence[Snapshot]) -> set[str]:
    """Give the ids of copies that say to be of the same snapshot and hold different things: whoever can add may have added one of them."""
    claims: dict[str, list[Snapshot]] = {}
    copied = names_here(snapshots)
    for one in snapshots:
        if one.original in copied:
            claims.setdefault(one.original, []).append(one)
    return {one.id for same in claims.values() if len({one.tree for one in same}) > 1 for one in same}


KEPT_FILE = "kept"


def kept_tags(name: str) -> list[str]:
    """Name the tags of what is kept beside the recovery points under a name.

    >>> kept_tags("appliance")
    ['kept=appliance']
    """
    return [f"kept={name}"]


def tags_of(*, crm: str, point: str, part: Part) -> list[str]:
    """Name the tags that say what a snapshot holds.

    >>> tags_of(crm="demo", point="7", part="files")
    ['crm=demo', 'point=7', 'part=files']
    """
    return [f"crm={crm}", f"point={point}", f"part={part}"]


def leftovers_among(snapshots: list[Snapshot], points: list[RecoveryPoint]) -> list[Snapshot]:
    """Pick the data snapshots that no recovery point refers to, and the bases that have no record."""
    used = {name for point in points for name in (point.snapshots.database, point.snapshots.files)}
    recorded = {(one.tag("crm"), one.tag("point")) for one in snapshots if one.tag("part") == "base-record"}
    return [
        snapshot
        for snapshot in snapshots
        if (snapshot.tag("part") in ("database", "files") and snapshot.tag("point") and snapshot.id not in used)
        or (snapshot.tag("part") == "base" and (snapshot.tag("crm"), snapshot.tag("point")) not in recorded)
    ]


def is_left_behind(snapshot: Snapshot, *, now: datetime, hostname: str) -> bool:
    """Say whether the run that has saved a leftover is over: one of this machine, which would hold the lease, or of long ago."""
    return snapshot.hostname == hostname or now - snapshot.time > LONGEST_RUN
