"""Carry an operation out: each step journalled before and after, and everything begun undone when one fails."""

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.errors import ApplianceError, Cancelled, PreflightFailed
from appliance.hosts.confinement import Confinement, end
from appliance.operations.ahead import Ahead
from appliance.operations.awaiting import call
from appliance.operations.machines import close_connection
from appliance.operations.run import Run
from appliance.operations.workflow import Done, StepDefinition, Workflow, Workflows
from appliance.wiring import Appliance

CHILDREN_GRACE_SECONDS = 10
BEGUN = (StepStatus.RUNNING, StepStatus.SUCCEEDED, StepStatus.FAILED)


class Taken(Enum):
    """Where it goes on after a step: to the next one, straight to the end, or back."""

    ON = "on"
    OVER = "over"
    BACK = "back"


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Knows how steps follow each other; knows nothing of what they do."""

    appliance: Appliance
    workflows: Workflows
    confinement: Confinement
    now: Callable[[], datetime]
    tell: Callable[[Appliance, Operation, OperationStatus, datetime], None]
    ahead: Ahead = field(default_factory=Ahead)

    def carry(self, operation: Operation) -> None:
        """Bring an operation to an end state, from where the journal says it stands: after a crash, behind its last finished step."""
        try:
            self._carry(operation)
        finally:
            self.ahead.close()
            close_connection(self.appliance, operation)

    def _carry(self, operation: Operation) -> None:
        workflow = self.workflows[operation.kind]
        if not operation.goes_back and self._go_forward(operation, workflow.steps):
            self._finish(operation.id, OperationStatus.SUCCEEDED)
            return
        self._go_back(self.appliance.store.operations.get(operation.id), workflow)

    def _go_forward(self, operation: Operation, steps: tuple[StepDefinition, ...]) -> bool:
        status = {step.name: step.status for step in operation.steps}
        for step in steps:
            if status.get(step.name) in (StepStatus.SUCCEEDED, StepStatus.SKIPPED):
                continue
            taken = self._take(operation, step, interrupted=status.get(step.name) == StepStatus.RUNNING)
            if taken is not Taken.ON:
                return taken is Taken.OVER
        return True

    def _take(self, operation: Operation, step: StepDefinition, *, interrupted: bool) -> Taken:
        journal = self.appliance.store.operations
        run = self._run(operation, step, interrupted=interrupted)
        try:
            if not journal.begin_step(operation.id, step.name, now=self.now(), unless_cancelled=step.cancellable):
                raise Cancelled("Somebody asked to stop.")
            self._be_confined()
            run.log(f"{step.title}{' (again, after an interruption)' if interrupted else ''}")
            detail = call(run, step.run, patience_seconds=self._patience_seconds)
            over = isinstance(detail, Done)
            journal.end_step(operation.id, step.name, StepStatus.SUCCEEDED, now=self.now(), detail=detail, skip_rest=over)
        except ApplianceError as error:
            self._turn_back(operation, step, error, str(error))
        except Exception as error:  # noqa: BLE001 - the worker's one catch-all: a defect must roll back like any failure
            run.log(traceback.format_exc())
            self._turn_back(operation, step, error, f"a defect of the appliance: {type(error).__name__}: {error}")
        else:
            return Taken.OVER if over else Taken.ON
        return Taken.BACK

    def _turn_back(self, operation: Operation, step: StepDefinition, error: Exception, cause: str) -> None:
        journal = self.appliance.store.operations
        cancelled, refused = isinstance(error, Cancelled), isinstance(error, PreflightFailed)
        self.appliance.store.logs.add(operation.id, cause, step=step.name, now=self.now())
        journal.turn_back(
            operation.id,
            step=step.name,
            now=self.now(),
            cause=cause if refused or cancelled else f"{step.title}: {cause}",
            cancelled=cancelled,
            refused=refused,
        )

    def _go_back(self, operation: Operation, workflow: Workflow) -> None:
        journal = self.appliance.store.operations
        status = {step.name: step.status for step in operation.steps}
        for step in reversed(workflow.steps):
            if step.undo is None or status.get(step.name) not in BEGUN:
                continue
            if not self._undo(operation, step):
                return
        if journal.was_cancelled(operation.id):
            self._finish(operation.id, OperationStatus.CANCELLED)
        else:
            self._finish(operation.id, OperationStatus.FAILED if operation.refused else workflow.undone)

    def _finish(self, operation_id: int, status: OperationStatus, *, next_action: str | None = None) -> None:
        operation = self.appliance.store.operations.get(operation_id)
        self.tell(self.appliance, operation, status, self.now())
        self.appliance.store.operations.finish(operation_id, status, now=self.now(), next_action=next_action)

    def _undo(self, operation: Operation, step: StepDefinition) -> bool:
        journal = self.appliance.store.operations
        run = self._run(operation, step, interrupted=True, undoing=True)
        run.log(f"taking back: {step.title}")
        self._be_confined()
        try:
            if step.undo is not None:
                call(run, step.undo, patience_seconds=self._patience_seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the instance must stay locked and the page must say so
            run.log(traceback.format_exc())
            mend = f"Taking back {step.title!r} failed: {error}. Mend that, then: appliance operation retry {operation.id}"
            self._finish(operation.id, OperationStatus.NEEDS_ATTENTION, next_action=mend)
            return False
        journal.end_step(operation.id, step.name, StepStatus.UNDONE, now=self.now())
        return True

    def _be_confined(self) -> None:
        """Before anything is started, so that all of it can be found again; after the journal's first entry, since it takes time."""
        if os.getpid() not in self.confinement.members():
            self.confinement.enter()

    @property
    def _patience_seconds(self) -> float:
        return self.appliance.settings.host_patience_seconds

    def _run(self, operation: Operation, step: StepDefinition, *, interrupted: bool, undoing: bool = False) -> Run:
        return Run(
            appliance=self.appliance,
            operation=operation,
            step=step.name,
            interrupted=interrupted,
            cancellable=step.cancellable and not undoing,
            now=self.now,
            ahead=self.ahead,
            end_children_here=lambda: end(self.confinement, grace_seconds=CHILDREN_GRACE_SECONDS, spare=os.getpid()),
        )
