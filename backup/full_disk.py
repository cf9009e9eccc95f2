"""Notice a restic that waits for ever, as it may once it could not write to a full disk, also when there is room again.

Seen of 0.18.0: what uploads has given up, and what reads the files waits for it. It goes on telling its progress, which stands still.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from backup.failures import BackupFailure

LITTLE_BYTES = 128 * 1024**2
"""restic's largest pack: where less is free, one may have found no room."""
PATIENCE_SECONDS = 30.0


@dataclass(kw_only=True)
class FullDisk:
    """Watches the disk of a repository on this machine while restic adds to it."""

    location: str
    now: Callable[[], float] = time.monotonic
    was_full: bool = False
    done_bytes: int = -1
    moved_at: float = 0.0

    def see(self, done_bytes: int) -> None:
        """Take a sign of progress. Raises a failure `disk_full` when nothing moves any more after room was short."""
        self.was_full = self.was_full or _free_bytes(self.location) < LITTLE_BYTES
        if done_bytes != self.done_bytes:
            self.done_bytes, self.moved_at = done_bytes, self.now()
        elif self.was_full and self.now() - self.moved_at > PATIENCE_SECONDS:
            raise BackupFailure(
                f"The disk of the repository {self.location} is full, or was. Free space there, or prune it.", code="disk_full"
            )


def _free_bytes(location: str) -> int:
    try:
        return shutil.disk_usage(location).free
    except OSError:  # restic says best what is wrong with it
        return LITTLE_BYTES
