"""Make one recovery point: the database's dump, then the files, last the record that makes it a point."""

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import JsonValue

from backup.beside import beside
from backup.binlog_spool import binlogs_among, note_dump, superseded
from backup.engines.postgresql import PostgreSQLMoment
from backup.engines.postgresql_log import required
from backup.engines.registry import engine_of
from backup.engines.shape import Measures, Moment, Seen
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.interruption import finishing
from backup.locks import this_host
from backup.points import RECORD_FILE, Part, PointQueries, PointSnapshots, RecoveryPoint, is_left_behind, leftovers_among, tags_of
from backup.recorded import Contents, contents, remember
from backup.repository import Repository, Saved, open_repository, require_writable
from backup.shipping import Shipping
from backup.spec import BackupSpec
from backup.spool import Spool
from backup.wal import Mark

LONGEST_MARK = 60
LOG_PATIENCE_SECONDS = 30
UNCHANGED = "No recovery point was made; the CRM and its earlier recovery points are unchanged."


def backup(spec: BackupSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Make the point and give its record. Unreadable files do not stop it; they are listed as warnings."""
    with leaving_unchanged(UNCHANGED):
        _require_directories(spec.paths)
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        with repository.held(f"backup of {spec.crm}"):
            before = contents(repository, crm=spec.crm)
            _require_new(before, spec)
            making = _PointInTheMaking(spec, repository, reporter)
            making.save_data()
            _forget_leftovers(repository, before)
            _forget_superseded(repository, before)
            with finishing():
                point = making.save_record()
                if spec.spool and point.binlog:
                    note_dump(Spool(directory=Path(spec.spool)), point.binlog.file)
    return point.as_json()


class _PointInTheMaking:
    """Gathers what becomes the record while its parts are saved."""

    def __init__(self, spec: BackupSpec, repository: Repository, reporter: Reporter) -> None:
        self.spec, self.repository, self.reporter = spec, repository, reporter
        self.started_seconds = time.monotonic()
        self.queries = PointQueries(counts=spec.counts, checksums=spec.checksums)
        self.seen = Seen(at=datetime.now(UTC), measures=Measures())
        self.saved: dict[Part, Saved] = {}
        self.mark = _mark(spec, reporter)

    def save_data(self) -> None:
        """Once the moment is marked and dumped, log and files are saved while the server counts; it is let go when it has counted."""
        if self.spec.database is None:
            self._save_files()
            return
        engine = engine_of(self.spec.database)
        with ExitStack() as counted, engine.moment(self.queries, mark=self.mark) as moment:
            if self.spec.dump:
                self._save_database(moment, engine.dump_file)
            counted.enter_context(beside(partial(self._ship_log, moment), self._save_files))
            self.seen = moment.seen()

    def save_record(self) -> RecoveryPoint:
        point = self._record()
        text = point.model_dump_json(indent=2)
        saved = self.repository.save_bytes(text.encode(), filename=RECORD_FILE, tags=self._tags("record"))
        remember(self.repository, saved.snapshot_id, text)
        return point

    def _save_database(self, moment: Moment, filename: str) -> None:
        with self.repository.stage("database", moment.expected_bytes):
            self.saved["database"] = self.repository.save_command(moment.dump_command(), filename=filename, tags=self._tags("database"))
        self.reporter.log("The database is saved; counting its records.")

    def _ship_log(self, moment: Moment) -> None:
        """Nothing but the log leads to a point without a dump. Raises a failure `no_log` if it is not received up to the mark."""
        if self.spec.dump or self.spec.spool is None or not isinstance(moment, PostgreSQLMoment) or moment.wal is None:
            return
        repository, spool = self.repository.apart(), Spool(directory=Path(self.spec.spool))
        with repository.stage("log"):
            reached = required(moment.database, patience_seconds=LOG_PATIENCE_SECONDS, beyond=moment.wal.lsn)
            Shipping(crm=self.spec.crm, spool=spool, repository=repository).ship(reached)

    def _save_files(self) -> None:
        if self.spec.paths:
            with self.repository.stage("files"):
                self.saved["files"] = self.repository.save_paths(self.spec.paths, tags=self._tags("files"))

    def _record(self) -> RecoveryPoint:
        ids = {part: saved.snapshot_id for part, saved in self.saved.items()}
        own = {
            "id": self.spec.point,
            "crm": self.spec.crm,
            "at": self.seen.at.astimezone(UTC),
            "snapshots": PointSnapshots(database=ids.get("database"), files=ids.get("files")),
            "engine": self.spec.database.engine if self.spec.database else None,
            "paths": self.spec.paths,
            "counts": self.seen.measures.counts,
            "checksums": self.seen.measures.checksums,
            "wal": self.seen.wal,
            "binlog": self.seen.binlog,
            "queries": self.queries,
            "sizes": {part: saved.total_bytes_processed for part, saved in self.saved.items()},
            "bytes_added": sum(saved.data_added_packed for saved in self.saved.values()),
            "bytes_processed": sum(saved.total_bytes_processed for saved in self.saved.values()),
            "duration_seconds": round(time.monotonic() - self.started_seconds, 3),
            "restic_version": self.repository.version,
            "warnings": self.repository.executor.warnings,
        }
        return RecoveryPoint.model_validate({**self.spec.record, **own})

    def _tags(self, part: Part) -> list[str]:
        return tags_of(crm=self.spec.crm, point=self.spec.point, part=part)


def _mark(spec: BackupSpec, reporter: Reporter) -> Mark | None:
    """What the moment is called in the log: the CRM and the point, as far as there is room. A dump needs no log."""
    if spec.spool is None:
        return None
    try:
        log = Spool(directory=Path(spec.spool)).require_identity().log
    except BackupFailure as failure:
        if not spec.dump:
            raise
        reporter.log(f"The moment is not marked in the log: {failure.message}")
        return None
    return Mark(log=log, name=f"{spec.crm}/{spec.point}"[-LONGEST_MARK:])


def _require_directories(paths: list[str]) -> None:
    """Refuse what is missing, and links: restic would save the link and nothing of what it points to."""
    if wrong := [path for path in paths if Path(path).is_symlink() or not Path(path).is_dir()]:
        raise BackupFailure(f"Not a directory (or only a link to one): {', '.join(wrong)}. Name the real ones.", code="path_missing")


def _require_new(before: Contents, spec: BackupSpec) -> None:
    if any(point.id == spec.point for point in before.points):
        raise BackupFailure(f"There is a recovery point {spec.point} already. Choose another id.", code="point_exists")


def _forget_superseded(repository: Repository, before: Contents) -> None:
    """Of the many snapshots of one binary log, the last has it all; a repository that lets nothing be removed keeps them."""
    old = superseded(binlogs_among(before.snapshots))
    try:
        repository.forget(old)
    except BackupFailure as failure:
        repository.executor.reporter.log(f"{len(old)} older snapshots of the log could not be forgotten: {failure.message}")


def _forget_leftovers(repository: Repository, before: Contents) -> None:
    """Forget what earlier, interrupted backups left; what this one has saved is not among the snapshots of before.

    What another machine has saved a moment ago is spared: it may be about to make a recovery point of it.
    """
    found, now = leftovers_among(before.snapshots, before.points), datetime.now(UTC)
    leftovers = [one for one in found if is_left_behind(one, now=now, hostname=this_host())]
    if not leftovers:
        return
    repository.executor.reporter.log(f"Forgetting {len(leftovers)} snapshots that an interrupted backup left.")
    try:
        repository.forget([snapshot.id for snapshot in leftovers])
    except BackupFailure as failure:  # no reason to lose this backup; the next one tries again
        repository.executor.reporter.log(f"They could not be forgotten: {failure.message}")
