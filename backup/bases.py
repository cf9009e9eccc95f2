"""Bases: copies of a cluster's files, each with its record as a snapshot of its own; and the snapshots of the log to replay onto them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from backup.engines.postgresql_files import CopiedFiles
from backup.points import Snapshot, names_here
from backup.repository import Repository
from backup.wal import bytes_of

BASE_FILE = "base.json"


class Base(BaseModel):
    """One base. `snapshot` is the full id of the restic snapshot with the files, `directory` where they were, `log` what goes on from it.

    `record` holds facts that the caller wanted kept with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    crm: str
    snapshot: str
    directory: str
    log: str
    files: CopiedFiles
    record: dict[str, JsonValue] = {}
    bytes_added: int
    bytes_processed: int
    duration_seconds: float


@dataclass(frozen=True, kw_only=True)
class LogTags:
    """What is known of a snapshot of a spool, by its tags.

    It holds `log` from the segment `start` to the position `lsn`, and whatever was committed by `until`.
    """

    crm: str
    log: str
    start: str
    lsn: str
    until: datetime

    def as_tags(self) -> list[str]:
        """Name the tags."""
        known = {"part": "wal", "crm": self.crm, "log": self.log, "start": self.start, "lsn": self.lsn}
        return [f"{name}={value}" for name, value in known.items()] + [f"until={self.until.isoformat()}"]


@dataclass(frozen=True, kw_only=True)
class Log:
    """One snapshot of a spool, which lay at `directory`."""

    snapshot: str
    directory: str
    tags: LogTags


def bases_among(repository: Repository, snapshots: Sequence[Snapshot]) -> list[Base]:
    """Read the bases, newest first."""
    here = names_here(snapshots)
    records = [one for one in snapshots if one.tag("part") == "base-record"]
    read = (Base.model_validate_json(repository.read_file(one.id, BASE_FILE)) for one in records)
    bases = [base.model_copy(update={"snapshot": here.get(base.snapshot, base.snapshot)}) for base in read]
    return sorted(bases, key=lambda base: base.files.at, reverse=True)


def logs_among(snapshots: Iterable[Snapshot]) -> list[Log]:
    """List the snapshots of the log, oldest first."""
    found = [Log(snapshot=one.id, directory=one.paths[0], tags=_log_tags(one)) for one in snapshots if one.tag("part") == "wal"]
    return sorted(found, key=lambda log: bytes_of(log.tags.lsn))


def _log_tags(snapshot: Snapshot) -> LogTags:
    crm, log, start, lsn, until = (str(snapshot.tag(name)) for name in ("crm", "log", "start", "lsn", "until"))
    return LogTags(crm=crm, log=log, start=start, lsn=lsn, until=datetime.fromisoformat(until))


def superseded(logs: Sequence[Log]) -> list[Log]:
    """Those of whose log a later snapshot holds everything and more."""
    newest = {(log.tags.crm, log.tags.log, log.tags.start): log.snapshot for log in logs}
    return [log for log in logs if log.snapshot not in newest.values()]


def given_up(bases: Sequence[Base], logs: Sequence[Log], *, since: datetime) -> tuple[list[Base], list[Log]]:
    """Bases and logs that are not needed for any moment since: those older than the newest base from before it, if there is one."""
    needed = max((base for base in bases if base.files.at <= since), key=lambda base: base.files.at, default=None)
    if needed is None:
        return [], []
    staying = {base.log for base in bases if base.files.at >= needed.files.at}
    return (
        [base for base in bases if base.files.at < needed.files.at],
        [log for log in logs if log.tags.log not in staying or log.tags.until < needed.files.at],
    )


def reaching(base: Base, logs: Sequence[Log], *, lsn: str | None, until: datetime | None) -> Log | None:
    """The first snapshot with all of the log from a base's start to a position or a moment; the newest one when neither is given."""
    files = base.files
    least = max(bytes_of(files.stop_lsn), bytes_of(lsn) if lsn else 0)
    fit = [
        log
        for log in logs
        if log.tags.log == base.log
        and log.tags.start[8:] <= files.segment[8:]
        and bytes_of(log.tags.lsn) >= least
        and (until is None or log.tags.until > until)
    ]
    if not fit:
        return None
    return fit[0] if lsn or until else fit[-1]
