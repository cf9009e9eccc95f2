"""Keep a small file in a repository, beside the recovery points."""

from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import KEPT_FILE, kept_tags
from backup.repository import open_repository, require_writable
from backup.spec import KeepSpec


def keep(spec: KeepSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Keep what the file holds, and of what was kept under that name before only the newest; all of it where can only be added.

    Raises a failure `unreadable` for a file that cannot be read.
    """
    with leaving_unchanged("What was kept before is kept still."):
        content = _read(Path(spec.file))
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        with repository.held("keep"):
            saved = repository.save_bytes(content, filename=KEPT_FILE, tags=kept_tags(spec.name))
            kept = sorted(repository.snapshots(kept_tags(spec.name)), key=lambda snapshot: snapshot.time, reverse=True)
            with suppress(BackupFailure):  # it is kept, which is what counts; what is too much goes next time
                repository.forget([snapshot.id for snapshot in kept[spec.last :]])
    return {"snapshot": saved.snapshot_id, "kept": min(len(kept), spec.last)}


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BackupFailure(f"{file} cannot be read: {error.strerror}.", code="unreadable") from error
