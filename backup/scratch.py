"""A private directory for the length of a run. What a run that was killed left in its own is removed by the next one."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backup.failures import BackupFailure

PREFIX = "crm-backup-"


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Lend a new directory in `parent`; a lock on it says that its run lives. Raises a failure `no_scratch`."""
    try:
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise BackupFailure(
            f"There can be no copy in {parent}: {error.strerror}. Name another scratch directory.", code="no_scratch"
        ) from error
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.geteuid():
            with suppress(OSError):  # its run lives, or has just ended
                _remove_unless_locked(folder)


def _remove_unless_locked(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(descriptor)
