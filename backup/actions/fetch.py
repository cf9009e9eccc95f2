"""Bring back a small file that was kept beside the recovery points."""

import os

from pydantic import JsonValue

from backup.actions.kept import newest_first
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import KEPT_FILE
from backup.repository import Repository, open_repository
from backup.spec import FetchSpec
from backup.streaming import read_small


def fetch(spec: FetchSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Write what was kept last under a name, or what a snapshot of `kept` holds, into a new file, which its owner alone can read.

    Raises a failure `nothing_kept`, `too_large`, or `target` where that file cannot be made.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        snapshot = spec.snapshot or _newest(repository, spec.name)
        _write(spec.target, read_small(repository.executor, snapshot=snapshot, filename=KEPT_FILE))
    return {"snapshot": snapshot}


def _newest(repository: Repository, name: str) -> str:
    kept = newest_first(repository, name)
    if not kept:
        raise BackupFailure(f"Nothing is kept under the name {name} in {repository.spec.location}.", code="nothing_kept")
    return kept[0].id


def _write(target: str, content: bytes) -> None:
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise BackupFailure(f"{target} cannot be made: {error.strerror}.", code="target") from error
