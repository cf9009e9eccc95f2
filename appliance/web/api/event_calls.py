"""What happens, under /api/v1."""

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from appliance.web.api.bodies import Body
from appliance.web.api.refusals import PROBLEMS
from appliance.web.happenings import happenings
from appliance.web.live import resume_after
from appliance.web.panel import LARGEST_ID, PanelDependency
from appliance.web.sessions import Bearer, bearer_token, opens

NOW = -1
"""What is resumed after when nothing is: what comes from now on."""


class EventBody(Body):
    """What has happened. `type` is as `operation.succeeded` or `instance.health`, `subject` a CRM or `host:NAME`."""

    id: int
    at: datetime
    type: str
    subject: str
    data: dict[str, Any]


router = APIRouter(prefix="/api/v1/events", responses=PROBLEMS)


@router.get("", response_class=EventSourceResponse)
async def stream_events(
    request: Request,
    panel: PanelDependency,
    _: Bearer,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int | None, Query(ge=0, le=LARGEST_ID, description="Only events above this id; 0 for all that are kept")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Send what happens, as it happens: operations that come to another state, CRMs that are found otherwise than before.

    `Last-Event-ID` or `after` says where to go on; otherwise it begins now.
    `end` is sent when the panel closes or the token opens nothing any more.
    """
    start, store, token = resume_after(last_event_id, NOW if after is None else after), panel.appliance.store, bearer_token(request)
    stream = happenings(
        store.events,
        after=None if start == NOW else min(start, LARGEST_ID),
        is_closing=panel.is_closing,
        is_admitted=partial(opens, panel, token),
        telling=EventBody.model_validate,
    )
    async for event in stream:
        yield event
