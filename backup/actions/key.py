"""Let a second password open a repository: that of a recovery kit, which is not to change with the first."""

from pydantic import JsonValue

from backup import restic_arguments
from backup.events import Reporter
from backup.failures import BackupFailure, NoRepository, WrongPassword, leaving_unchanged
from backup.repository import open_repository
from backup.spec import KeySpec, RepositorySpec


def key(spec: KeySpec, reporter: Reporter) -> dict[str, JsonValue]:
    """See that the password in another file opens the repository; it is added if it does not.

    Raises NoRepository, WrongPassword for the first one, and a failure `not_added` if it does not open it even then.
    """
    with leaving_unchanged("The passwords that open the repository are as before."):
        second = spec.repository.model_copy(update={"password_file": spec.new_password_file})
        if _opens(second, reporter):
            return {"added": False}
        repository = open_repository(spec.repository, reporter)
        with repository.held("key"):
            repository.executor.more(restic_arguments.add_key(spec.new_password_file))
        if not _opens(second, reporter):
            raise BackupFailure("The second password was added and does not open the repository.", code="not_added")
    return {"added": True}


def _opens(spec: RepositorySpec, reporter: Reporter) -> bool:
    try:
        is_there = open_repository(spec, reporter).exists()
    except WrongPassword:
        return False
    if not is_there:
        raise NoRepository(f"There is no repository at {spec.location}.")
    return True
