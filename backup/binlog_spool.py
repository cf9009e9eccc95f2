"""A spool of a MariaDB server's binary log.

mariadb-binlog begins each file anew, so each run of it has a directory of its own (`receiving/0001`, …) and no run touches what another
one has received. The longest file of a name is the one that counts.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backup.binlog import FIRST_HEADER_BYTES, NAME, BinlogPosition, BinlogReceived, first_header, missing_between, number_of, whole_bytes
from backup.failures import BackupFailure
from backup.points import Part, Snapshot
from backup.repository import Repository, Saved
from backup.spool import Spool

PART: Part = "binlog"
TOLD, NEWEST_DUMP = "binlog-received.json", "newest-dump"


@dataclass(frozen=True, kw_only=True)
class Binlog:
    """One snapshot of a spool, which lay at `directory`: `log` from the file `start` to `file` and the position in it."""

    snapshot: str
    directory: str
    log: str
    start: str
    file: str
    position: int
    until: datetime | None

    def has_all_since(self, position: BinlogPosition) -> bool:
        """Say whether it goes from before a position to behind it, or to it."""
        return number_of(self.start) <= number_of(position.file) and self.end >= (number_of(position.file), position.position)

    @property
    def end(self) -> tuple[int, int]:
        """What is compared."""
        return number_of(self.file), self.position


@contextmanager
def run_of(spool: Spool) -> Iterator[Path]:
    """Make the directory of one more run of the receiver; where it has received nothing, it goes again."""
    runs = [int(path.name) for path in spool.receiving.iterdir() if path.name.isdigit()]
    folder = spool.receiving / f"{max(runs, default=0) + 1:04}"
    folder.mkdir(mode=0o700)
    yield folder
    with suppress(OSError):
        folder.rmdir()


def received_files(receiving: Path) -> dict[str, Path]:
    """Give the files of all runs by name, oldest first. Raises a failure `other_log` if two of a name are of different logs."""
    found: dict[str, Path] = {}
    for path in sorted(receiving.glob("*/*")):
        if not NAME.match(path.name) or path.stat().st_size < FIRST_HEADER_BYTES:
            continue  # there is nothing in it yet
        known = found.get(path.name)
        if known and first_header(known) != first_header(path):
            raise BackupFailure(f"{receiving} holds {path.name} of two different logs. Name a new directory.", code="other_log")
        if known is None or path.stat().st_size >= known.stat().st_size:
            found[path.name] = path
    return dict(sorted(found.items(), key=lambda item: number_of(item[0])))


def require_no_gap(names: Iterable[str], first: str) -> None:
    """Raises a failure `log_gap` that names the files which are missing."""
    if missing := missing_between(list(names), first):
        raise BackupFailure(f"The log has a gap: {', '.join(missing)} is missing. What lies behind it cannot be replayed.", code="log_gap")


class BinlogShipping:
    """Knows what was shipped last, so that only what has changed is shipped again."""

    def __init__(self, *, crm: str, spool: Spool, repository: Repository) -> None:
        """Nothing was shipped yet, as far as is known."""
        self.crm, self.spool, self.repository = crm, spool, repository
        self.shipped: dict[str, int] = {}

    def ship(self, told: BinlogReceived | None) -> Saved | None:
        """Ship, if there is anything new; `told` is what the server has said to be received before this was called."""
        with self.spool.held():
            files, identity = received_files(self.spool.receiving), self.spool.identity()
            now = {name: path.stat().st_size for name, path in files.items()}
            if identity is None or not now or now == self.shipped:
                return None
            require_no_gap(now, next(iter(now)))
            if told:
                _note(self.spool.directory / TOLD, told.model_dump_json())
            saved = self._save(identity.log, files)
            self._trim(files)
        self.shipped = now
        return saved

    def _save(self, log: str, files: dict[str, Path]) -> Saved:
        start, last = next(iter(files)), list(files)[-1]
        tags = [f"part={PART}", f"crm={self.crm}", f"log={log}", f"start={start}", f"file={last}", f"position={whole_bytes(files[last])}"]
        noted = self.spool.directory / TOLD
        if noted.exists():
            tags.append(f"until={BinlogReceived.model_validate_json(noted.read_text()).at.isoformat()}")
        with self.repository.adding():
            return self.repository.save_paths([str(self.spool.receiving)], tags=tags)

    def _trim(self, files: dict[str, Path]) -> None:
        """Of what was shipped, remove what is older than the newest dump, and what a later run has received again."""
        newest = newest_dump(self.spool)
        for path in self.spool.receiving.glob("*/*"):
            if path.name in files and (path < files[path.name] or (newest and number_of(path.name) < number_of(newest))):
                path.unlink()


def note_dump(spool: Spool, file: str) -> None:
    """Take note of a new dump: what is older than the file that its moment is in can go once it is shipped."""
    _note(spool.directory / NEWEST_DUMP, file)


def newest_dump(spool: Spool) -> str | None:
    """Name the file that the moment of the newest dump is in."""
    path = spool.directory / NEWEST_DUMP
    return path.read_text() if path.exists() else None


def binlogs_among(snapshots: Iterable[Snapshot]) -> list[Binlog]:
    """List the snapshots of binary logs, oldest first."""
    found = [_binlog(one) for one in snapshots if one.tag("part") == PART]
    return sorted(found, key=lambda log: log.end)


def superseded(logs: Iterable[Binlog]) -> list[str]:
    """Name those of whose log a later snapshot holds everything and more."""
    known = list(logs)
    newest = {(log.log, log.start): log.snapshot for log in known}
    return [log.snapshot for log in known if log.snapshot not in newest.values()]


def _note(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.new")
    new.write_text(text)
    new.replace(file)


def _binlog(snapshot: Snapshot) -> Binlog:
    log, start, file, position = (str(snapshot.tag(name)) for name in ("log", "start", "file", "position"))
    until = snapshot.tag("until")
    return Binlog(
        snapshot=snapshot.id,
        directory=snapshot.paths[0],
        log=log,
        start=start,
        file=file,
        position=int(position),
        until=datetime.fromisoformat(until) if until else None,
    )
