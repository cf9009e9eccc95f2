"""Save a cluster's files while it serves: what its log is replayed onto."""

import time
from pathlib import Path

from pydantic import JsonValue

from backup.bases import BASE_FILE, Base, logs_among, superseded
from backup.engines.postgresql_files import EXCLUDED, CopiedFiles, copying
from backup.engines.postgresql_log import required
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.interruption import finishing
from backup.points import tags_of
from backup.repository import Repository, Saved, open_repository, require_writable
from backup.spec_log import BaseSpec
from backup.spool import NewestBase, Spool

UNCHANGED = "No base was saved; the CRM and its earlier bases are unchanged."
IDENTITY_PATIENCE_SECONDS, LOG_PATIENCE_SECONDS = 10, 120
PAUSE_SECONDS = 0.1
VANISHED = "no such file or directory"
"""A file that was removed while it was looked for belongs to a table that the log removes, too."""


def base(spec: BaseSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Save the files and give the base's record.

    Raises failures: `files_unreadable` if a file could not be read, `no_log` if nobody receives the log, without which they are of no use.
    """
    began_seconds = time.monotonic()
    with leaving_unchanged(UNCHANGED):
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        spool = Spool(directory=Path(spec.spool))
        _await_identity(spool)
        log = spool.require_identity().log
        with repository.held(f"base of {spec.crm}"):
            saved, files, directory = _save_files(repository, spec)
            needed = NewestBase(segment=files.segment, received=required(spec.database, patience_seconds=LOG_PATIENCE_SECONDS))
            made = Base(
                id=spec.base,
                crm=spec.crm,
                snapshot=saved.snapshot_id,
                directory=directory,
                log=log,
                files=files,
                record=spec.record,
                bytes_added=saved.data_added_packed,
                bytes_processed=saved.total_bytes_processed,
                duration_seconds=round(time.monotonic() - began_seconds, 3),
            )
            with finishing():
                text = made.model_dump_json(indent=2)
                tags = tags_of(crm=spec.crm, point=spec.base, part="base-record")
                repository.save_bytes(text.encode(), filename=BASE_FILE, tags=tags)
                spool.note_base(needed)
            _forget_superseded(repository, spec.crm)
    return made.model_dump(mode="json")


def _await_identity(spool: Spool) -> None:
    """Whoever receives the log may have been started but now."""
    deadline = time.monotonic() + IDENTITY_PATIENCE_SECONDS
    while spool.identity() is None and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)


def _forget_superseded(repository: Repository, crm: str) -> None:
    """Of the many snapshots of one log, the last has it all; a repository that lets nothing be removed keeps them."""
    old = superseded(logs_among(repository.snapshots([f"crm={crm}", "part=wal"])))
    try:
        repository.forget([log.snapshot for log in old])
    except BackupFailure as failure:
        repository.executor.reporter.log(f"{len(old)} older snapshots of the log could not be forgotten: {failure.message}")


def _save_files(repository: Repository, spec: BaseSpec) -> tuple[Saved, CopiedFiles, str]:
    tags = tags_of(crm=spec.crm, point=spec.base, part="base")
    with copying(spec.database, name=spec.base) as server, repository.stage("base"):
        saved = repository.save_paths([str(server.directory)], tags=tags, excluded=[f"{server.directory}/**/{one}" for one in EXCLUDED])
    warnings = repository.executor.warnings
    if unread := [warning for warning in warnings if VANISHED not in warning.lower()]:
        raise BackupFailure(f"Not all files could be read: {'; '.join(unread)}.", code="files_unreadable")
    assert server.files is not None  # noqa: S101 - the server was told the end
    return saved, server.files, str(server.directory)
