"""Everything the appliance refuses or fails with; each message says what happened, what was left unchanged, what to do next."""


class ApplianceError(Exception):
    """Base of all errors that an administrator may see."""


class ConfigurationError(ApplianceError):
    """The settings of the appliance cannot be used."""


class Unauthenticated(ApplianceError):
    """Nobody is logged in."""


class Forbidden(ApplianceError):
    """The one who asks may not do this."""


class InvalidRequest(ApplianceError):
    """The request cannot be understood; nothing was changed."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class StateDoesNotOpen(InvalidRequest):
    """The key of the recovery kit does not open what was given as the appliance's state."""


class NotFound(ApplianceError):
    """What was asked for does not exist."""


class Conflict(ApplianceError):
    """Something else is at work on the same instance, or has taken the name."""


class PreconditionFailed(ApplianceError):
    """What was to be changed is no longer as the one who asks has seen it."""


class PreflightFailed(ApplianceError):
    """Checks before the first change said no; nothing was changed."""

    def __init__(self, failures: tuple[str, ...]) -> None:
        super().__init__("Refused before anything was changed: " + "; ".join(failures))
        self.failures = failures


class Cancelled(ApplianceError):
    """An administrator asked to stop."""


class StepFailed(ApplianceError):
    """A step of an operation did not reach its end state."""


class PlaybookFailed(StepFailed):
    """A playbook run failed."""


class HostUnreachable(StepFailed):
    """A host does not answer, for now: whatever was to be done there was not done, or it is not known whether it was."""


class HostRefused(StepFailed):
    """A host answers and will not be used: another host key than the confirmed one, no log-in, no sudo. Trying again changes nothing."""


class CommandFailed(StepFailed):
    """A streamed command failed."""

    def __init__(self, message: str, *, code: str = "failed") -> None:
        super().__init__(message)
        self.code = code


class ProbeFailed(StepFailed):
    """A CRM did not show itself healthy."""
