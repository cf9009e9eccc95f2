"""Ship what a spool holds into the repository."""

from datetime import UTC, datetime

from backup.bases import LogTags
from backup.failures import BackupFailure
from backup.repository import Repository, Saved
from backup.spool import Contents, Spool
from backup.wal import PARTIAL, SEGMENT, Received, bytes_of, end_of, gap_in

NEVER = datetime.fromtimestamp(0, UTC)


class Shipping:
    """Knows what was shipped last, so that only what has changed is shipped again."""

    def __init__(self, *, crm: str, spool: Spool, repository: Repository, trims: bool = True) -> None:
        """Nothing was shipped yet, as far as is known. `trims` says whether what was shipped can go from the spool."""
        self.crm, self.spool, self.repository, self.trims = crm, spool, repository, trims
        self.shipped: Contents = {}

    def ship(self, received: Received | None) -> Saved | None:
        """Ship, if there is anything new; `received` is what the server has said to be on the disk before this was called.

        Raises a failure `log_gap` for a log that is not whole: nothing that lies behind a gap can be promised.
        """
        with self.spool.held():
            if received:
                self.spool.note_received(received)
            told = self.spool.received()  # before the links are made, so that they hold at least what was told
            now, identity = self.spool.link(), self.spool.identity()
            segments = [name for name in now if SEGMENT.match(name)]
            if now == self.shipped or not segments or identity is None:
                if now == self.shipped and segments and told:
                    self.spool.note_shipped(told)  # nothing was changed since, and all that there is was shipped
                return None
            saved = self._save(identity.log, segments, told)
            if told:
                self.spool.note_shipped(told)
            if self.trims:
                self.spool.trim(segments)
        self.shipped = now
        return saved

    def _save(self, log: str, segments: list[str], noted: Received | None) -> Saved:
        full = Received(lsn=end_of(segments), at=NEVER)
        told = noted or full
        if (missing := gap_in(segments, until=told.lsn)) is not None:
            raise BackupFailure(
                f"Segment {missing} is missing in {self.spool.directory}: what was received is not whole. Begin a new log with a new base.",
                code="log_gap",
            )
        tags = LogTags(
            crm=self.crm, log=log, start=segments[0].removesuffix(PARTIAL), lsn=max(full.lsn, told.lsn, key=bytes_of), until=told.at
        )
        with self.repository.adding():
            return self.repository.save_paths([str(self.spool.log)], tags=tags.as_tags())
