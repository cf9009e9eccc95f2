"""Create the repository unless it exists."""

from pathlib import Path

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.repository import open_repository, require_writable
from backup.spec import InitSpec


def init(spec: InitSpec, reporter: Reporter) -> dict[str, JsonValue]:
    """Create the repository; one that exists and that the password opens is left as it is."""
    with leaving_unchanged("No repository was created or changed."):
        require_writable(spec.repository)
        repository = open_repository(spec.repository, reporter)
        with repository.held("init"):
            created = not repository.exists()
            if created:
                if spec.repository.is_local:
                    _require_free(Path(spec.repository.location))
                repository.init()
    return {"created": created, "location": spec.repository.location, "restic_version": repository.version}


def _require_free(location: Path) -> None:
    if location.is_dir() and any(location.iterdir()):
        raise BackupFailure(f"{location} holds other files. Name a new or an empty directory.", code="not_empty")
