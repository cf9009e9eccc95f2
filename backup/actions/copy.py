"""Bring recovery points, bases and logs into a second repository."""

import time
from pathlib import Path

from pydantic import JsonValue

from backup import restic_arguments
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import DATA_PARTS, RECORD_PARTS
from backup.quick_key import quick_key
from backup.repository import open_repository, require_writable
from backup.spec import CopySpec

UNCHANGED = "The source is unchanged; what was copied stays, and is not copied again."


def copy(spec: CopySpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Copy what is not there yet; records last, so that a point is seen here when all of it is here.

    Raises a failure `not_local` for a source that is elsewhere: restic has but one environment for both.
    """
    began_seconds = time.monotonic()
    with leaving_unchanged(UNCHANGED):
        if not spec.source.is_local:
            raise BackupFailure("Copy from the machine that has the source as a directory.", code="not_local")
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        first_key = quick_key(Path(spec.source.location))
        source = restic_arguments.source(spec.source.location, spec.source.password_file, first_key=first_key)
        with repository.held("copy"):
            created = not repository.exists()
            if created:
                repository.executor.more(restic_arguments.init_like(source))
            before = len(repository.snapshots([]))
            for name, parts in (("data", DATA_PARTS), ("records", RECORD_PARTS)):
                with repository.stage(name):
                    repository.executor.more(restic_arguments.copy(source, crm=spec.crm, parts=parts))
            copied = len(repository.snapshots([])) - before
    return {"created": created, "snapshots": copied, "duration_seconds": round(time.monotonic() - began_seconds, 3)}
