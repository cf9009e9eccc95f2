"""The journal of operations: every transition is written before and after it happens."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from appliance.domain.host import title_of
from appliance.domain.operation import Operation, OperationStatus, StepStatus
from appliance.domain.request_key import RequestKey
from appliance.domain.transfer import Transfer
from appliance.errors import Conflict, InvalidRequest, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.events import tell_operation
from appliance.store.holding import MAY_BEGIN, next_to_begin
from appliance.store.models import OperationRow, StepRow
from appliance.store.newest import last_operations
from appliance.store.operation_rows import BACK, TRANSFER, operation_of
from appliance.store.request_keys import note_answer

SETTLED = (OperationStatus.SUCCEEDED, OperationStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What the engine, the panel and the command line know of operations."""

    database: Database

    def record(
        self,
        *,
        kind: str,
        instance: str,
        parameters: Mapping[str, Any],
        steps: Iterable[tuple[str, str]],
        requested_by: str,
        now: datetime,
        awaits_approval: bool = False,
        key: RequestKey | None = None,
    ) -> Operation:
        """Write a new operation with its steps, given as (name, title), who asked for it, and what a key is answered: all or nothing.

        Raises Conflict when the instance has an unfinished one.
        """
        row = OperationRow(
            kind=kind,
            instance=instance,
            parameters=dict(parameters),
            status=OperationStatus.QUEUED,
            requested_by=requested_by,
            requested_at=now,
            awaits_approval=awaits_approval,
            steps=[StepRow(position=at, name=name, title=title, status=StepStatus.PENDING) for at, (name, title) in enumerate(steps)],
        )
        try:
            with self.database.writing() as session:
                session.add(row)
                session.flush()
                append_entry(session, at=now, actor=requested_by, action=kind, subject=instance, detail={"operation": row.id})
                recorded = operation_of(row)
                note_answer(session, key, recorded, now=now)
                tell_operation(session, row, at=now)
                return recorded
        except IntegrityError:
            self.require_free(instance)
            raise

    def get(self, operation_id: int) -> Operation:
        """Raises NotFound."""
        with self.database.reading() as session:
            return operation_of(_row(session, operation_id))

    def find(self, operation_id: int) -> Operation | None:
        """The operation of that number, or None."""
        with self.database.reading() as session:
            row = session.get(OperationRow, operation_id)
            return None if row is None else operation_of(row)

    def list(
        self,
        *,
        instance: str | None = None,
        kind: str | None = None,
        status: Iterable[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Operation]:
        """Newest first; `before` is the id to go on below. Those requested from `since` on, and before `until`."""
        query = select(OperationRow).order_by(OperationRow.id.desc()).limit(limit)
        if instance is not None:
            query = query.where(OperationRow.instance == instance)
        if kind is not None:
            query = query.where(OperationRow.kind == kind)
        if wanted := tuple(status):
            query = query.where(OperationRow.status.in_(wanted))
        if since is not None:
            query = query.where(OperationRow.requested_at >= since)
        if until is not None:
            query = query.where(OperationRow.requested_at < until)
        if before is not None:
            query = query.where(OperationRow.id < before)
        with self.database.reading() as session:
            return [operation_of(row) for row in session.scalars(query)]

    def lengths(self, *, instance: str, kind: str, limit: int) -> Sequence[timedelta]:
        """How long the last operations of a kind that succeeded took, newest first, but for those that found nothing to do."""
        skipped = exists().where(StepRow.operation_id == OperationRow.id, StepRow.status == StepStatus.SKIPPED)
        last = select(OperationRow.started_at, OperationRow.finished_at, skipped).order_by(OperationRow.id.desc()).limit(limit)
        query = last.where(OperationRow.instance == instance, OperationRow.kind == kind, OperationRow.status == OperationStatus.SUCCEEDED)
        with self.database.reading() as session:
            return [end - begin for begin, end, nothing in session.execute(query) if begin and end and not nothing]

    def begun_at(self, *, instance: str, kind: str, limit: int = 50) -> tuple[datetime, ...]:
        """When the last operations of a kind began, newest first."""
        query = select(OperationRow.started_at).where(OperationRow.instance == instance, OperationRow.kind == kind)
        with self.database.reading() as session:
            return tuple(begun for begun in session.scalars(query.order_by(OperationRow.id.desc()).limit(limit)) if begun)

    def unsettled(self, subjects: Collection[str] | None = None) -> dict[str, Operation]:
        """The last operation of each instance and host, or of these, where it goes on still or did not succeed; by the subject's name."""
        query = select(OperationRow).where(OperationRow.id.in_(last_operations(subjects)), OperationRow.status.not_in(SETTLED))
        with self.database.reading() as session:
            return {row.instance: operation_of(row) for row in session.scalars(query)}

    def last_of(self, subjects: Collection[str]) -> dict[str, Operation]:
        """The last operation of each of these instances and hosts, by its name."""
        query = select(OperationRow).where(OperationRow.id.in_(last_operations(subjects)))
        with self.database.reading() as session:
            return {row.instance: operation_of(row) for row in session.scalars(query)}

    def unfinished(self, instance: str) -> Operation | None:
        """The operation that holds an instance, if any."""
        held = self.list(instance=instance, status=[status for status in OperationStatus if not status.is_final], limit=1)
        return held[0] if held else None

    def require_free(self, instance: str) -> None:
        """Raises Conflict, saying what to do, when an unfinished operation holds the instance."""
        held = self.unfinished(instance)
        if held is None:
            return
        is_broken = held.status == OperationStatus.NEEDS_ATTENTION
        what = f"operation {held.id} ({held.kind}, {held.status.value.replace('_', ' ')})"
        mend = "see what it needs: appliance operation show" if is_broken else "wait for it, or end it: appliance operation cancel"
        raise Conflict(f"{title_of(instance)} is busy with {what}. Nothing was changed; {mend} {held.id}")

    def claim(self, *, now: datetime) -> Operation | None:
        """Take the oldest queued operation that may begin, or None; it is running afterwards."""
        with self.database.reading() as session:
            if session.scalar(MAY_BEGIN.with_only_columns(OperationRow.id).limit(1)) is None:
                return None  # to take the write lock for this would keep carriers waiting
        with self.database.writing() as session:
            row = next_to_begin(session)
            if row is None:
                return None
            row.status = OperationStatus.RUNNING
            row.started_at = row.started_at or now
            tell_operation(session, row, at=now)
            return operation_of(row)

    def request_cancel(self, operation_id: int, *, now: datetime) -> Operation:
        """Ask to stop: a queued operation is cancelled at once, a running one at its next safe point. Raises Conflict when it has ended."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            if row.status == OperationStatus.QUEUED and row.started_at is None:
                row.status, row.finished_at = OperationStatus.CANCELLED, now
                row.cause = "Cancelled before it began; nothing was changed."
                tell_operation(session, row, at=now)
            elif row.status == OperationStatus.RUNNING:
                row.cancel_requested = True
            else:
                raise Conflict(f"Operation {operation_id} is {row.status.replace('_', ' ')}; there is nothing to cancel.")
            return operation_of(row)

    def approve(self, operation_id: int, *, by: str, now: datetime) -> Operation:
        """Let it begin. Raises NotFound, Conflict when it does not wait for that, InvalidRequest for the one who requested it."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            if not row.awaits_approval or row.status != OperationStatus.QUEUED:
                raise Conflict(f"Operation {operation_id} does not wait for an approval. Nothing was changed.")
            if row.requested_by == by:
                raise InvalidRequest(f"{by} has requested operation {operation_id}; somebody else has to approve it. Nothing was changed.")
            row.awaits_approval, row.approved_by = False, by
            append_entry(session, at=now, actor=by, action="approve", subject=row.instance, detail={"operation": operation_id})
            return operation_of(row)

    def is_cancel_requested(self, operation_id: int) -> bool:
        """Whether somebody asked to stop."""
        with self.database.reading() as session:
            return bool(session.scalar(select(OperationRow.cancel_requested).where(OperationRow.id == operation_id)))

    def memory(self, operation_id: int) -> dict[str, Any]:
        """What the steps of an operation have decided and written down for those after them."""
        with self.database.reading() as session:
            return dict(_row(session, operation_id).memory)

    def memories(self, operation_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """The same of several, by their ids."""
        query = select(OperationRow.id, OperationRow.memory).where(OperationRow.id.in_(operation_ids))
        with self.database.reading() as session:
            return {operation_id: dict(memory) for operation_id, memory in session.execute(query)}

    def remember(self, operation_id: int, values: Mapping[str, Any]) -> None:
        """Add to the memory of an operation, durably."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            row.memory = {**row.memory, **values}

    def begin_step(self, operation_id: int, name: str, *, now: datetime, unless_cancelled: bool = False) -> bool:
        """Write that a step is about to act; its first beginning counts. False, with nothing written, if somebody asked to stop before."""
        with self.database.writing() as session:
            row, operation = _step(session, operation_id, name), _row(session, operation_id)
            if unless_cancelled and operation.cancel_requested:
                return False
            if TRANSFER in operation.memory:
                operation.memory = {known: value for known, value in operation.memory.items() if known != TRANSFER}
            row.status, row.started_at = StepStatus.RUNNING, row.started_at or now
            return True

    def end_step(
        self, operation_id: int, name: str, status: StepStatus, *, now: datetime, detail: str | None = None, skip_rest: bool = False
    ) -> None:
        """Write how a step ended; with `skip_rest`, also that those not begun are not needed: both or neither."""
        with self.database.writing() as session:
            row = _step(session, operation_id, name)
            row.status, row.finished_at = status, now
            row.detail = detail if detail is not None else row.detail
            row.percent = 100 if status == StepStatus.SUCCEEDED else row.percent
            for step in _row(session, operation_id).steps if skip_rest else ():
                if step.status == StepStatus.PENDING:
                    step.status, step.percent = StepStatus.SKIPPED, 100

    def progress(self, operation_id: int, name: str, percent: int | None, transfer: Transfer | None = None) -> None:
        """Write how far a step has come, 0 to 100 if that is known, and how many bytes it has moved if it does."""
        with self.database.writing() as session:
            if percent is not None:
                _step(session, operation_id, name).percent = max(0, min(100, percent))
            if transfer is not None:
                row = _row(session, operation_id)
                row.memory = {**row.memory, TRANSFER: {"step": name, "transfer": asdict(transfer)}}

    def turn_back(self, operation_id: int, *, step: str, cause: str, cancelled: bool, refused: bool, now: datetime) -> None:
        """Write that a step failed or was stopped, and that the operation undoes from now on; both or neither."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            failed = _step(session, operation_id, step)
            if failed.status == StepStatus.RUNNING:
                failed.status, failed.finished_at, failed.detail = StepStatus.FAILED, now, cause
            row.direction, row.cause = BACK, cause
            row.cancelled, row.refused = cancelled, refused

    def was_cancelled(self, operation_id: int) -> bool:
        """Whether it turned back because somebody asked."""
        with self.database.reading() as session:
            return _row(session, operation_id).cancelled

    def finish(
        self,
        operation_id: int,
        status: OperationStatus,
        *,
        now: datetime,
        outcome: Mapping[str, Any] | None = None,
        cause: str | None = None,
        next_action: str | None = None,
    ) -> None:
        """Write the end state."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            row.status, row.finished_at = status, now
            row.outcome = {**row.outcome, **(outcome or {})}
            row.cause = cause or row.cause
            row.next_action = next_action or row.next_action
            tell_operation(session, row, at=now)

    def reopen(self, operation_id: int, *, now: datetime, key: RequestKey | None = None) -> Operation:
        """Let an operation that needs attention try its undo again. Raises Conflict when it does not need attention."""
        with self.database.writing() as session:
            row = _row(session, operation_id)
            if row.status != OperationStatus.NEEDS_ATTENTION:
                raise Conflict(
                    f"Operation {operation_id} is {row.status.replace('_', ' ')}; only one that needs attention goes on where it stopped."
                )
            row.status, row.next_action = OperationStatus.QUEUED, None
            reopened = operation_of(row)
            note_answer(session, key, reopened, now=now)
            tell_operation(session, row, at=now)
            return reopened


def _row(session: Session, operation_id: int) -> OperationRow:
    row = session.get(OperationRow, operation_id)
    if row is None:
        raise NotFound(f"There is no operation {operation_id}.")
    return row


def _step(session: Session, operation_id: int, name: str) -> StepRow:
    row = session.get(StepRow, (operation_id, name))
    if row is None:
        raise NotFound(f"Operation {operation_id} has no step {name}.")
    return row
