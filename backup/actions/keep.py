"""Keep a small file in a repository, beside the recovery points."""

from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from backup.actions.kept import newest_first
from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.points import KEPT_FILE, kept_tags
from backup.repository import open_repository, require_writable
from backup.spec import KeepSpec
from backup.streaming import LARGEST_SMALL_BYTES


def keep(spec: KeepSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Keep what the file holds, and of what was kept under that name before only the newest; all of it where can only be added.

    Raises a failure `unreadable` for a file that cannot be read, `too_large` for one that could not be fetched.
    """
    with leaving_unchanged("What was kept before is kept still."):
        content = _read(Path(spec.file))
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        with repository.held("keep"):
            saved = repository.save_bytes(content, filename=KEPT_FILE, tags=kept_tags(spec.name))
            kept = newest_first(repository, spec.name)
            with suppress(BackupFailure):  # it is kept, which is what counts; what is too much goes next time
                repository.forget([snapshot.id for snapshot in kept[spec.last :] if snapshot.id != saved.snapshot_id])
    return {"snapshot": saved.snapshot_id, "kept": min(len(kept), spec.last)}


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BackupFailure(f"{file} cannot be read: {error.strerror}.", code="unreadable") from error
    if len(content) > LARGEST_SMALL_BYTES:
        raise BackupFailure(f"{file} is larger than the {LARGEST_SMALL_BYTES:,} bytes that can be kept.", code="too_large")
    return content
