"""Bring a MariaDB database back to a moment: the newest dump from before it, and what the binary log says of the time since."""

import time
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from backup.actions.restore import restore_database
from backup.binlog import BinlogPosition, whole_bytes
from backup.binlog_spool import Binlog, binlogs_among, received_files, require_no_gap
from backup.children import bytes_as_file, started, text_of
from backup.engines.mariadb import MariaDB
from backup.engines.mariadb_log import replay_command, require_own_server
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import RecoveryPoint
from backup.recorded import contents
from backup.repository import Repository, open_repository
from backup.scratch import scratch_directory
from backup.spec_log import ReplaySpec

NOTHING = "Nothing was restored; no database was changed."
HALF = "What is live is unchanged. The database of this replay is incomplete: drop it before trying again."


def replay(spec: ReplaySpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Restore a dump into an empty database on a server of its own, then replay the log up to the moment, or to its end.

    Raises failures `no_way` if no dump and log lead there, `log_gap` if a file of the log is missing.
    """
    began_seconds = time.monotonic()
    with leaving_unchanged(NOTHING):
        repository = open_repository(spec.repository, reporter)
        repository.clear_stale_locks()
        found = contents(repository, crm=spec.crm)
        point, position, log = _way_to(spec, found.points, binlogs_among(found.snapshots))
        MariaDB(spec.database).require_empty()
        require_own_server(spec.database)
    with leaving_unchanged(NOTHING), scratch_directory(Path(spec.scratch)) as folder:
        files = _fetch(repository, log, position, folder)
        with leaving_unchanged(HALF):
            restore_database(repository, point, spec.database)
            with repository.stage("log"):
                _replay(spec, position, files)
    until = spec.at or log.until
    seconds = round(time.monotonic() - began_seconds, 3)
    return {"point": point.id, "until": until.isoformat() if until else None, "files": len(files), "duration_seconds": seconds}


def _way_to(spec: ReplaySpec, points: list[RecoveryPoint], logs: list[Binlog]) -> tuple[RecoveryPoint, BinlogPosition, Binlog]:
    """The newest dump before the moment, and log from there to it."""
    for point in points:
        position = point.binlog
        if position is None or position.database != spec.database.name or (spec.at and point.at > spec.at):
            continue
        fit = [log for log in logs if _goes_on(log, position, until=spec.at)]
        if fit:
            return point, position, fit[0] if spec.at else fit[-1]
    wanted = f"{spec.at:%Y-%m-%d %H:%M:%S %Z}" if spec.at else "any moment"
    raise BackupFailure(
        f"No dump and binary log of {spec.crm} lead to {wanted} of the database {spec.database.name}. "
        "A dump from before it, and the log since, are needed.",
        code="no_way",
    )


def _goes_on(log: Binlog, position: BinlogPosition, *, until: datetime | None) -> bool:
    return log.log == position.log and log.has_all_since(position) and (until is None or (log.until is not None and log.until > until))


def _fetch(repository: Repository, log: Binlog, position: BinlogPosition, folder: Path) -> list[Path]:
    """Bring the log here, from the file on that the dump's moment is in; a part of an event at its end is cut off."""
    with repository.stage("fetch"):
        repository.restore_tree(log.snapshot, source=log.directory, target=str(folder / "log"))
    files = received_files(folder / "log")
    require_no_gap(files, position.file)
    needed = list(files)[list(files).index(position.file) :]
    last = files[needed[-1]]
    with last.open("r+b") as opened:
        opened.truncate(whole_bytes(last))
    return [files[name] for name in needed]


def _replay(spec: ReplaySpec, position: BinlogPosition, files: list[Path]) -> None:
    """Let one program read the log and the other one do what it says; both must succeed."""
    reading = replay_command(position, files, until=spec.at)
    doing = MariaDB(spec.database).restore_command(role=None)
    with bytes_as_file(b"") as said, started(reading, stderr=said, environment={"TZ": "UTC"}) as source:
        assert source.stdout is not None  # noqa: S101 - a pipe unless something else was asked for
        with started(doing, stdin=source.stdout, stdout=said, stderr=said) as sink:
            source.stdout.close()  # so that the source notices when the sink has ended
            done = sink.wait()
        read = source.wait()
        if done or read:
            raise BackupFailure(f"The log could not be replayed (codes {read} and {done}): {text_of(said)}", code="replay_failed")
