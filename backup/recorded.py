"""Find the recovery points of a repository.

Opening a repository costs restic about half a second of key derivation, for each record anew. Records never change
and are named by the digest of their content, so each is kept beside the lease once it was read.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from backup.failures import BackupFailure
from backup.locks import lease_file
from backup.points import RECORD_FILE, Part, PointSnapshots, RecoveryPoint, Snapshot, claimed_twice, names_here
from backup.repository import Repository
from backup.streaming import read_small


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a repository holds of one CRM, or of all: its points, newest first, and every snapshot."""

    points: list[RecoveryPoint]
    snapshots: list[Snapshot]

    def point(self, name: str) -> RecoveryPoint:
        """Give the point of that id.

        Raises a failure `point_missing`; `ambiguous` if several CRMs have it, or if it or what it saved is there twice and differs.
        """
        found = [point for point in self.points if point.id == name]
        if not found:
            raise BackupFailure(f"There is no recovery point {name}. The verb points lists those that exist.", code="point_missing")
        if len({point.crm for point in found}) > 1:
            crms = ", ".join(point.crm for point in found)
            raise BackupFailure(f"Several CRMs have a recovery point {name} ({crms}). Say which is meant.", code="ambiguous")
        self._require_single(found)
        return found[0]

    def _require_single(self, found: Sequence[RecoveryPoint]) -> None:
        """Raises a failure `ambiguous` where it cannot be told what was saved from what somebody has added since."""
        saved = {name for point in found for name in (point.snapshots.database, point.snapshots.files) if name}
        twice = sorted(saved & claimed_twice(self.snapshots))
        if twice or any(point != found[0] for point in found):
            what = f"what it saved (snapshot {twice[0][:8]})" if twice else "its record"
            raise BackupFailure(
                f"Recovery point {found[0].id} cannot be told from what somebody else has added: {what} is there twice, and differs. "
                f"Read it from another repository, or take another point; restic snapshots --tag point={found[0].id} shows them.",
                code="ambiguous",
            )

    def of_parts(self, *parts: Part) -> list[str]:
        """Give the ids of the snapshots that hold these."""
        return [one.id for one in self.snapshots if one.tag("part") in parts]

    def snapshots_of(self, point: RecoveryPoint, *, records: bool) -> list[str]:
        """Give the ids of the snapshots tagged with a point: of its record, or of its data."""
        tagged = [one for one in self.snapshots if one.tag("crm") == point.crm and one.tag("point") == point.id]
        return [one.id for one in tagged if (one.tag("part") == "record") is records]


def contents(repository: Repository, *, crm: str | None) -> Contents:
    """Read the recovery points of a CRM, or of all."""
    return _contents(repository, [f"crm={crm}"] if crm else [], _record)


def readable_contents(repository: Repository, *, crm: str | None) -> Contents:
    """The same for those who only read: a record that is none, which whoever can add may have added, is passed over and said."""
    return _contents(repository, [f"crm={crm}"] if crm else [], _readable_record)


def point_held(repository: Repository, name: str, *, crm: str | None) -> RecoveryPoint:
    """Read one recovery point, and no record but its own; raises a failure `point_missing` or `ambiguous`."""
    found = _contents(repository, [f"point={name}"], _readable_record)
    return Contents(points=[point for point in found.points if crm in (None, point.crm)], snapshots=found.snapshots).point(name)


def _contents(repository: Repository, tags: list[str], read: Callable[[Repository, Snapshot], RecoveryPoint | None]) -> Contents:
    snapshots = repository.snapshots(tags)
    here = names_here(snapshots)
    records = [read(repository, one) for one in snapshots if one.tag("part") == "record"]
    points = [_as_here(point, here) for point in records if point is not None]
    return Contents(points=sorted(points, key=lambda point: point.at, reverse=True), snapshots=snapshots)


def _as_here(point: RecoveryPoint, here: Mapping[str, str]) -> RecoveryPoint:
    """A record names the snapshots of the repository that it was made in."""
    known = point.snapshots
    database, files = (here.get(name, name) if name else None for name in (known.database, known.files))
    return point.model_copy(update={"snapshots": PointSnapshots(database=database, files=files)})


def remember(repository: Repository, snapshot: str, text: str) -> None:
    """Keep a record's text for later; failing to is no harm."""
    path = _kept(repository, snapshot)
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(path)


def drop_forgotten(repository: Repository, snapshots: Sequence[str]) -> None:
    """Drop what was kept of records that are gone."""
    for snapshot in snapshots:
        with suppress(OSError):
            _kept(repository, snapshot).unlink()


def _record(repository: Repository, snapshot: Snapshot) -> RecoveryPoint:
    with suppress(OSError, ValidationError):
        return RecoveryPoint.model_validate_json(_kept(repository, snapshot.id).read_text())
    text = read_small(repository.executor, snapshot=snapshot.id, filename=RECORD_FILE).decode(errors="replace")
    try:
        point = RecoveryPoint.model_validate_json(text)
    except ValidationError as error:
        raise BackupFailure(f"The record in snapshot {snapshot.id[:8]} is not readable: {error}", code="bad_record") from error
    remember(repository, snapshot.id, text)
    return point


def _readable_record(repository: Repository, snapshot: Snapshot) -> RecoveryPoint | None:
    try:
        return _record(repository, snapshot)
    except BackupFailure as failure:
        repository.exists()  # says so itself where it is the repository that fails
        repository.executor.reporter.log(f"What snapshot {snapshot.id[:8]} holds is no record of a recovery point: {failure.message}")
        return None


def _kept(repository: Repository, snapshot: str) -> Path:
    lease = lease_file(repository.spec.location, repository.spec.lock_directory)
    return lease.with_suffix(".records") / f"{snapshot}.json"
