"""What an operation is: a named piece of work on one instance, made of named steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from appliance.domain.transfer import Transfer


class OperationStatus(StrEnum):
    """Where an operation stands."""

    QUEUED = "queued"
    """Recorded, not begun."""
    RUNNING = "running"
    """The worker carries it out, or will go on with it after a restart."""
    SUCCEEDED = "succeeded"
    """The end state was reached and verified."""
    FAILED = "failed"
    """It ended without its result, or was refused before it began to change anything."""
    ROLLED_BACK = "rolled_back"
    """It failed, everything it had begun was undone, and what was before serves."""
    CANCELLED = "cancelled"
    """Somebody stopped it, and everything it had begun was undone."""
    NEEDS_ATTENTION = "needs_attention"
    """An undo failed; the instance stays locked until an administrator has mended it."""

    @property
    def is_final(self) -> bool:
        """Whether the instance is free again."""
        return self not in (OperationStatus.QUEUED, OperationStatus.RUNNING, OperationStatus.NEEDS_ATTENTION)


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    """Known beforehand, not begun."""
    RUNNING = "running"
    """Begun; after a crash it is called again and told so."""
    SUCCEEDED = "succeeded"
    """Reached its end state."""
    FAILED = "failed"
    """Did not reach its end state."""
    SKIPPED = "skipped"
    """Not needed this time."""
    UNDONE = "undone"
    """Begun or finished, and taken back."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One named step as the journal knows it."""

    name: str
    title: str
    status: StepStatus
    started_at: datetime | None = None
    finished_at: datetime | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation as the journal knows it; `percent` is 0 to 100, `cause` and `next_action` are set when it did not succeed.

    `goes_back` says that it undoes what it had begun, `awaits_approval` that it does not begin before somebody else has agreed,
    `transfer` how far the step that runs has come where it moves bytes.
    """

    id: int
    kind: str
    instance: str
    parameters: Mapping[str, Any]
    status: OperationStatus
    requested_by: str
    requested_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cause: str | None = None
    refused: bool = False
    next_action: str | None = None
    percent: int = 0
    cancel_requested: bool = False
    goes_back: bool = False
    steps: tuple[Step, ...] = ()
    outcome: Mapping[str, Any] = field(default_factory=dict)
    awaits_approval: bool = False
    approved_by: str | None = None
    transfer: Transfer | None = None

    @property
    def found_nothing(self) -> bool:
        """Whether it ended well before its last steps, since there was nothing to do."""
        return self.status is OperationStatus.SUCCEEDED and any(step.status is StepStatus.SKIPPED for step in self.steps)
