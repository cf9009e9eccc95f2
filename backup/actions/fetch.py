"""Bring back a small file that was kept beside the recovery points."""

import os

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import KEPT_FILE, kept_tags
from backup.repository import open_repository
from backup.spec import FetchSpec


def fetch(spec: FetchSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Write what was kept last under a name into a new file, which its owner alone can read.

    Raises a failure `nothing_kept`, or `target` where that file cannot be made.
    """
    with leaving_unchanged("Nothing was changed."):
        repository = open_repository(spec.repository, reporter)
        kept = repository.snapshots(kept_tags(spec.name))
        if not kept:
            raise BackupFailure(f"Nothing is kept under the name {spec.name} in {spec.repository.location}.", code="nothing_kept")
        newest = max(kept, key=lambda snapshot: snapshot.time)
        _write(spec.target, repository.read_file(newest.id, KEPT_FILE))
    return {"snapshot": newest.id, "at": newest.time.isoformat()}


def _write(target: str, text: str) -> None:
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise BackupFailure(f"{target} cannot be made: {error.strerror}.", code="target") from error
