"""Who may work in a repository: a lease that keeps our runs apart, and what to do with locks that the dead left.

restic's plain `unlock` tests whether a lock's owner lives by sending SIGHUP to the process id written in it. Where
that id has been given to another program since, that program dies. So we look into /proc ourselves.
"""

import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from backup.failures import BackupFailure, RepositoryLocked

# restic refreshes its locks every 5 minutes and itself calls those of 30 minutes stale (internal/restic/lock.go).
FOREIGN_LOCK_IS_STALE_AFTER = timedelta(minutes=30)
POLL_SECONDS = 0.1


class Lock(BaseModel):
    """One lock file of restic, as `restic cat lock` shows it."""

    time: AwareDatetime
    hostname: str
    pid: int


def is_stale(lock: Lock, *, now: datetime, hostname: str, proc: Path = Path("/proc")) -> bool:
    """Say whether a lock's owner is surely gone: a process of this host that is no restic, or silent for long."""
    if lock.hostname != hostname:
        return now - lock.time > FOREIGN_LOCK_IS_STALE_AFTER
    try:
        program = (proc / str(lock.pid) / "exe").readlink().name
    except OSError:  # gone, or a zombie
        return True
    return not program.startswith("restic")


def this_host() -> str:
    """Give the name that restic writes into its locks here."""
    return socket.gethostname()


def lease_file(location: str, lock_directory: str | None) -> Path:
    """Say where a repository's lease is: in the directory given, else beside the repository.

    >>> lease_file("/srv/backups/local", None)
    PosixPath('/srv/backups/local.lease')
    >>> lease_file("rest:https://nas:8000/crm/", "/run/lock")
    PosixPath('/run/lock/rest-https-nas-8000-crm.lease')
    """
    if lock_directory is None:
        return Path(f"{location}.lease")
    return Path(lock_directory) / f"{re.sub('[^A-Za-z0-9._]+', '-', location).strip('-')}.lease"


def presence_file(lease: Path) -> Path:
    """Say what those share who only add to a repository, so that nobody removes their locks meanwhile.

    >>> presence_file(Path("/srv/backups/local.lease"))
    PosixPath('/srv/backups/local.present')
    """
    return lease.with_suffix(".present")


@contextmanager
def lease(path: Path, *, purpose: str, wait_seconds: float, shared: bool = False) -> Iterator[int]:
    """Hold a repository for this run; gives the descriptor, which children inherit so that they hold it too.

    Several can hold it `shared`. Raises `RepositoryLocked` when another run still holds it after `wait_seconds`.
    """
    descriptor = _opened(path)
    try:
        _wait_for(descriptor, wait_seconds, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        os.truncate(descriptor, 0)
        with suppress(OSError):  # the text is only for a person who wonders; a full disk must not stop a forget
            os.pwrite(descriptor, f"{purpose} (process {os.getpid()})".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BackupFailure(f"The lease {path} cannot be written: {error.strerror}.", code="not_writable") from error


def _wait_for(descriptor: int, wait_seconds: float, kind: int) -> None:
    give_up = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace")
                raise RepositoryLocked(f"The repository is in use by another run: {holder}. Try again when it has finished.") from None
            time.sleep(POLL_SECONDS)
        else:
            return
