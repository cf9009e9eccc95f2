"""Bring a cluster's files back beside what is live, ready to replay its log up to a moment when its server is started."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import JsonValue

from backup import ownership
from backup.bases import Base, Log, bases_among, logs_among, reaching
from backup.beside import beside
from backup.engines.postgresql_files import complete_log, is_anything_committed_after, prepare_recovery
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.on_disk import on_disk
from backup.recorded import Contents, readable_contents
from backup.repository import Repository, open_repository
from backup.spec_log import FilesBesideSpec, RecoverSpec
from backup.trees import require_new, require_trees, restore_trees
from backup.wal import WalPosition, bytes_of

NOTHING = "Nothing was restored and nothing was changed."
HALF = "What is live is unchanged. The directories of this recovery are incomplete: remove them before trying again."


def recover(spec: RecoverSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Restore a base and the log into two new directories; the server that is started there comes up at the wanted moment.

    Raises a failure `no_way` if no base and log lead there, `part_missing` for a recovery point without a place in a log.
    """
    began_seconds = time.monotonic()
    with leaving_unchanged(NOTHING):
        repository = open_repository(spec.repository, reporter)
        repository.clear_stale_locks()
        found = readable_contents(repository, crm=spec.crm)
        position = _position(found.point(spec.point).wal, spec.point) if spec.point else None
        base, log = _way_to(spec, position, bases_among(repository, found.snapshots), logs_among(found.snapshots))
        ownership.ids_of(spec.owner)
        for directory in (spec.target, spec.wal):
            require_new(Path(directory))
        meanwhile: list[Callable[[], None]] = [
            partial(_restore_log, repository.apart(), log, spec.wal),
            *_files(spec.beside, found, repository),
        ]
    with leaving_unchanged(HALF), on_disk(Path(spec.target)), on_disk(Path(spec.wal)):
        with repository.stage("base", base.bytes_processed), beside(*meanwhile):
            repository.restore_tree(base.snapshot, source=base.directory, target=spec.target)
        complete_log(Path(spec.wal))
        prepare_recovery(Path(spec.target), label=base.files.label, wal=Path(spec.wal), target=_target(spec, position, base))
        for directory in (spec.target, spec.wal):
            Path(directory).chmod(0o700)
            ownership.give_to(spec.owner, directory)
    seconds = round(time.monotonic() - began_seconds, 3)
    return {"base": base.id, "version": base.files.version, "until": log.tags.until.isoformat(), "duration_seconds": seconds}


def _restore_log(repository: Repository, log: Log, target: str) -> None:
    with repository.stage("log"):
        repository.restore_tree(log.snapshot, source=log.directory, target=target)


def _files(wanted: FilesBesideSpec | None, found: Contents, repository: Repository) -> list[Callable[[], None]]:
    if wanted is None:
        return []
    point = found.point(wanted.point)
    require_trees(point, wanted.files, owner=wanted.owner)
    return [partial(restore_trees, repository.apart(), point, wanted.files, owner=wanted.owner)]


def _position(position: WalPosition | None, point: str) -> WalPosition:
    if position is None:
        raise BackupFailure(f"Recovery point {point} has no place in a log; restore its dump.", code="part_missing")
    return position


def _way_to(spec: RecoverSpec, position: WalPosition | None, bases: list[Base], logs: list[Log]) -> tuple[Base, Log]:
    """The newest base before the moment, and log from there to it."""
    for base in bases:
        if position and (base.log != position.log or bytes_of(base.files.stop_lsn) > bytes_of(position.lsn)):
            continue
        if spec.at and base.files.at > spec.at:
            continue
        if log := reaching(base, logs, lsn=position.lsn if position else None, until=spec.at):
            return base, log
    wanted = f"recovery point {spec.point}" if spec.point else f"{spec.at:%Y-%m-%d %H:%M:%S %Z}" if spec.at else "any moment"
    raise BackupFailure(
        f"No base and log of {spec.crm} lead to {wanted}. A base from before it, and the log since, are needed.", code="no_way"
    )


def _target(spec: RecoverSpec, position: WalPosition | None, base: Base) -> dict[str, str]:
    """Where replaying ends, in PostgreSQL's settings; the log holds all that was committed by then."""
    if position:
        return {"recovery_target_name": position.restore_point}
    if spec.at and is_anything_committed_after(spec.at, files=base.files, wal=Path(spec.wal)):
        return {"recovery_target_time": spec.at.isoformat()}
    return {}
