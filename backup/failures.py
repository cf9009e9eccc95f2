"""What can go wrong when data is moved, each with a code for programs and a sentence for people."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import JsonValue


class NotDone(Exception):
    """A verb did not do what it was asked to.

    `code` is a stable word for programs, `exit_code` what the process ends with, `unchanged` the sentence that says
    what was left as it was, `details` more facts as JSON.
    """

    exit_code = 1
    code = "failed"

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, JsonValue] | None = None) -> None:
        """Keep the message and, where the class's own code is too coarse, a finer one."""
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.unchanged = ""
        self.details: dict[str, JsonValue] = details or {}

    def __str__(self) -> str:
        """Say what happened and what was left unchanged."""
        return f"{self.message} {self.unchanged}".strip()


class BackupFailure(NotDone):
    """It could not."""


class Cancelled(NotDone):
    """SIGTERM or Ctrl-C."""

    exit_code = 130
    code = "cancelled"


class InvalidSpec(BackupFailure):
    """The request itself is malformed; nothing was started."""

    exit_code = 2
    code = "invalid"


class NoRepository(BackupFailure):
    """There is no restic repository at the location."""

    exit_code = 10
    code = "no_repository"


class RepositoryLocked(BackupFailure):
    """Somebody else is working in the repository."""

    exit_code = 11
    code = "locked"


class WrongPassword(BackupFailure):
    """The password file does not open the repository."""

    exit_code = 12
    code = "wrong_password"


@contextmanager
def leaving_unchanged(sentence: str) -> Iterator[None]:
    """Add to whatever ends the block early, unless a block further in knew better, what was left as it was."""
    try:
        yield
    except NotDone as failure:
        failure.unchanged = failure.unchanged or sentence
        raise
