"""Create the repository unless it exists."""

from pathlib import Path

from pydantic import JsonValue

from backup.events import Reporter
from backup.failures import BackupFailure, leaving_unchanged
from backup.quick_key import add_quick_key
from backup.repository import Repository, open_repository, require_writable
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
            if spec.quick_key:
                _add_quick_key(repository)
    return {"created": created, "location": spec.repository.location, "restic_version": repository.version}


def _require_free(location: Path) -> None:
    if location.is_dir() and any(location.iterdir()):
        raise BackupFailure(f"{location} holds other files. Name a new or an empty directory.", code="not_empty")


def _add_quick_key(repository: Repository) -> None:
    """Only restic's own key is needed, so nothing fails where this one cannot be added."""
    spec = repository.spec
    if not spec.is_local or repository.executor.is_full:
        return
    try:
        if add_quick_key(Path(spec.location), Path(spec.password_file).read_text().strip()):
            repository.executor.reporter.log("The repository has a second key, which opens it at once.")
    except (OSError, ValueError) as error:
        repository.executor.reporter.log(f"A key that opens the repository at once could not be added: {error}.")
