"""The browsers that are logged in, under /api/v1."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from appliance.store.access import BrowserSession
from appliance.web import browsers
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency, below
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class SessionBody(Body):
    """A browser that is logged in; `address` and `browser` are what it said of itself. `id` opens nothing."""

    id: str
    user: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    browser: str


router = APIRouter(prefix="/api/v1/sessions", responses=PROBLEMS)


@router.get("")
def list_sessions(
    panel: PanelDependency, principal: Bearer, asked: Annotated[PageQuery, Query()], paging: PagingDependency
) -> list[SessionBody]:
    """Give one's own, or for an administrator everybody's, the one that began last first, a page at a time."""
    rows = below(browsers.seen_by(panel, principal), _begun, asked.after(datetime, str))
    return [SessionBody.model_validate(one) for one in paging.cut(asked, rows, _begun)]


def _begun(session: BrowserSession) -> tuple[datetime, str]:
    return session.created_at, session.id


@router.delete("", status_code=204)
def end_sessions(
    panel: PanelDependency,
    principal: Bearer,
    user: Annotated[str | None, Query(max_length=64, description="Whose; one's own if left out")] = None,
) -> None:
    """Log every browser of a user out; bearer tokens go on opening the API."""
    browsers.end_all(panel, principal, principal.name if user is None else user)


@router.delete("/{session_id}", status_code=204)
def end_session(panel: PanelDependency, principal: Bearer, session_id: str) -> None:
    """Log one browser out."""
    browsers.end(panel, principal, session_id)
