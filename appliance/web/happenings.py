"""What happens, as a stream of server-sent events, which goes on where a reader left off and ends when it has to."""

from collections.abc import AsyncIterator, Callable

import anyio
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from appliance.domain.event import Event
from appliance.store.events import Events

POLL_SECONDS = 0.5
ADMISSION_SECONDS = 2.0
"""How often it is looked whether the reader may read on."""
BATCH = 100
CLOSING = "closing"
REVOKED = "revoked"


async def happenings(
    events: Events,
    *,
    after: int | None,
    is_closing: Callable[[], bool],
    is_admitted: Callable[[], bool],
    telling: Callable[[Event], object],
) -> AsyncIterator[ServerSentEvent]:
    """Give the events above `after`, or those from now on, as they come; `gap` before them if some in between are kept no longer.

    Ends, with an event `end` that says why, when the panel closes or the reader is admitted no more.
    """
    reached = await run_in_threadpool(events.newest) if after is None else after
    if after and (oldest := await run_in_threadpool(events.oldest)) is not None and after < oldest - 1:
        yield ServerSentEvent(event="gap", data={"kept_from": oldest})
    polls = 0
    while True:
        if is_closing():
            yield ServerSentEvent(event="end", raw_data=CLOSING)
            return
        if polls % round(ADMISSION_SECONDS / POLL_SECONDS) == 0 and not await run_in_threadpool(is_admitted):
            yield ServerSentEvent(event="end", raw_data=REVOKED)
            return
        polls += 1
        found = await run_in_threadpool(events.list, after=reached, limit=BATCH)
        for event in found:
            reached = event.id
            yield ServerSentEvent(event=event.type, id=str(event.id), data=telling(event))
        if len(found) < BATCH:
            await anyio.sleep(POLL_SECONDS)
