"""An operation's log and state as a stream of server-sent events, which goes on where a reader left off."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import anyio
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from appliance.domain.operation import Operation, OperationStatus
from appliance.store.logs import LogLine
from appliance.web.tails import BATCH_LINES, Tails

POLL_SECONDS = 0.2
REFRESH_SECONDS = 2.0
"""So often a reader is told the state again even if nothing changed, so that durations grow; then it is looked whether he may read on."""
REVOKED = "revoked"


class Telling(Protocol):
    """How lines and states are told: as HTML for a page, as JSON for a program."""

    def lines(self, lines: Sequence[LogLine]) -> list[ServerSentEvent]:
        """Tell new lines; the last event carries the id of the last line."""

    def state(self, operation: Operation) -> ServerSentEvent:
        """Tell where the operation stands."""


def is_moving(operation: Operation) -> bool:
    """Whether the worker still has it, so that lines may follow."""
    return operation.status in (OperationStatus.QUEUED, OperationStatus.RUNNING)


def resume_after(last_event_id: str | None, otherwise: int) -> int:
    """The id of the last line a reader has; what a browser sends again after a lost connection counts before the address."""
    return int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else otherwise


async def follow(
    tails: Tails,
    operation_id: int,
    *,
    after: int,
    telling: Telling,
    is_admitted: Callable[[], bool],
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[ServerSentEvent]:
    """Give the lines above `after` and the states as they come.

    Ends, with an event `end` that says why, when the operation does, and when the reader is admitted no more.
    """
    told: Operation | None = None
    told_at = -REFRESH_SECONDS
    looked_at = monotonic()
    while True:
        seen = await tails.read(operation_id, after=after)
        operation, lines = seen.operation, seen.lines
        if lines:
            after = lines[-1].id
            for event in telling.lines(lines):
                yield event
        if monotonic() - looked_at >= REFRESH_SECONDS:
            looked_at = monotonic()
            if not await run_in_threadpool(is_admitted):
                yield ServerSentEvent(event="end", raw_data=REVOKED)
                return
        if operation != told or monotonic() - told_at >= REFRESH_SECONDS:
            told, told_at = operation, monotonic()
            yield telling.state(operation)
        if len(lines) == BATCH_LINES:
            continue
        if not is_moving(operation):
            yield ServerSentEvent(event="end", raw_data=operation.status.value)
            return
        await anyio.sleep(POLL_SECONDS)
