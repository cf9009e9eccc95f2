"""What the rows of the journal mean."""

from appliance.domain.operation import Operation, OperationStatus, Step, StepStatus
from appliance.domain.transfer import Transfer
from appliance.store.models import OperationRow

BACK = "back"
"""The direction of an operation that undoes what it did."""
TRANSFER = "transfer"
"""What of an operation's memory says how far the step that runs has come."""


def operation_of(row: OperationRow) -> Operation:
    """The operation that a row and its steps describe."""
    steps = tuple(
        Step(
            name=step.name,
            title=step.title,
            status=StepStatus(step.status),
            started_at=step.started_at,
            finished_at=step.finished_at,
            detail=step.detail,
        )
        for step in row.steps
    )
    return Operation(
        id=row.id,
        kind=row.kind,
        instance=row.instance,
        parameters=row.parameters,
        status=OperationStatus(row.status),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cause=row.cause,
        refused=bool(row.refused),
        next_action=row.next_action,
        percent=_percent(row),
        cancel_requested=bool(row.cancel_requested),
        goes_back=row.direction == BACK,
        steps=steps,
        outcome=row.outcome or {},
        awaits_approval=bool(row.awaits_approval),
        approved_by=row.approved_by,
        transfer=_transfer(row),
    )


def _transfer(row: OperationRow) -> Transfer | None:
    """Of the step that runs; what was said of an earlier one, or before an interruption, counts no longer."""
    said = row.memory.get(TRANSFER)
    if said is None or not any(step.name == said["step"] and step.status == StepStatus.RUNNING for step in row.steps):
        return None
    return Transfer(**said["transfer"])


def _percent(row: OperationRow) -> int:
    if row.status == OperationStatus.SUCCEEDED:
        return 100
    return sum(step.percent or 0 for step in row.steps) // max(1, len(row.steps))
