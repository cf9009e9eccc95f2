"""The spool: where the log of a cluster is received, and kept until it lies in a repository."""

import fcntl
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from backup.failures import BackupFailure
from backup.wal import PARTIAL, SEGMENT, Received, bytes_of, is_part_of_a_log

Contents = Mapping[str, tuple[int, int]]


class SpoolIdentity(BaseModel):
    """Whose log a spool holds: `system` is what a cluster and its standbys share, `log` is this very stretch of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    log: str
    system: str


class NewestBase(BaseModel):
    """What a base has told the spool: replaying begins in `segment`, and what the base needs of the log was `received`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    segment: str
    received: Received


@dataclass(frozen=True, kw_only=True)
class Spool:
    """What is received, and beside it what is shipped: links to the same files, so that none is renamed while it is read.

    Whoever ships has an `outlet` of his own for them.
    """

    directory: Path
    outlet: str = "log"

    @property
    def receiving(self) -> Path:
        """What pg_receivewal writes."""
        return self.directory / "receiving"

    @property
    def log(self) -> Path:
        """What restic saves."""
        return self.directory / self.outlet

    def make(self) -> None:
        """Make the directories, for nobody else to read."""
        for directory in (self.receiving, self.log):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def claim(self, system: str) -> None:
        """Let this be the spool of a cluster. Raises a failure `other_log` if it is another's."""
        known = self.identity()
        if known is None:
            _write(self._identity, SpoolIdentity(log=uuid.uuid4().hex, system=system))
        elif known.system != system:
            raise BackupFailure(f"{self.directory} holds the log of another cluster. Name a new directory.", code="other_log")

    def identity(self) -> SpoolIdentity | None:
        """Say whose log this is; None before a server was reached."""
        return SpoolIdentity.model_validate_json(self._identity.read_text()) if self._identity.exists() else None

    def require_identity(self) -> SpoolIdentity:
        """Say whose log this is. Raises a failure `no_log`."""
        if (known := self.identity()) is None:
            raise BackupFailure(f"No log is received into {self.directory}. Start the verb stream first.", code="no_log")
        return known

    def newest_base(self) -> NewestBase | None:
        """Say what the newest base needs."""
        return NewestBase.model_validate_json(self._newest_base.read_text()) if self._newest_base.exists() else None

    def note_base(self, base: NewestBase) -> None:
        """Take note of a new base: what is older than it can go once it is shipped."""
        _write(self._newest_base, base)

    def received(self) -> Received | None:
        """Say what is known to be in here: by the server when it was asked last, or by the newest base."""
        base = self.newest_base()
        told = Received.model_validate_json(self._received.read_text()) if self._received.exists() else None
        known = [one for one in (told, base.received if base else None) if one]
        return max(known, key=lambda one: bytes_of(one.lsn), default=None)

    def note_received(self, received: Received) -> None:
        """Take note of what the server has said."""
        _write(self._received, received)

    def shipped(self) -> Received | None:
        """Say up to where what was received lies in the repository of this outlet; None before anything was shipped."""
        return Received.model_validate_json(self._shipped.read_text()) if self._shipped.exists() else None

    def note_shipped(self, received: Received) -> None:
        """Take note of what lies in the repository, for those who watch over it."""
        _write(self._shipped, received)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one who ships from the outlet, for the length of the block."""
        with (self.directory / f"{self.outlet}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def link(self) -> Contents:
        """Let `log` have what `receiving` has now; gives size in bytes and time of the last change in nanoseconds, by name."""
        while True:
            with suppress(FileNotFoundError):  # a segment became full, and was renamed, between two looks
                return self._linked()

    def trim(self, shipped: Iterable[str]) -> None:
        """Remove what was shipped and is older than the newest base."""
        base = self.newest_base()
        for name in shipped if base else ():
            if base and SEGMENT.match(name) and not name.endswith(PARTIAL) and name[8:] < base.segment[8:]:
                (self.receiving / name).unlink(missing_ok=True)

    @property
    def _identity(self) -> Path:
        return self.directory / "identity.json"

    @property
    def _received(self) -> Path:
        return self.directory / "received.json"

    @property
    def _shipped(self) -> Path:
        return self.directory / f"{self.outlet}.shipped.json"

    @property
    def _newest_base(self) -> Path:
        return self.directory / "newest-base.json"

    def _linked(self) -> Contents:
        found = {path.name: path.stat() for path in self.receiving.iterdir() if is_part_of_a_log(path.name)}
        for old in self.log.iterdir():
            if old.name not in found or old.stat().st_ino != found[old.name].st_ino:
                old.unlink()
        for name in found:
            if not (self.log / name).exists():
                (self.log / name).hardlink_to(self.receiving / name)
        return {name: (seen.st_size, seen.st_mtime_ns) for name, seen in sorted(found.items())}


def _write(file: Path, content: BaseModel) -> None:
    new = file.with_suffix(".new")
    new.write_text(content.model_dump_json() + "\n")
    new.replace(file)
