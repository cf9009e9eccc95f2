"""The audit under /api/v1: who did what, for administrators."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from appliance.store.audit import AuditFilter
from appliance.web import audit
from appliance.web.api.bodies import Body, Moment
from appliance.web.api.paging import PageQuery, PagingDependency, cursor_of
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class AuditEntryBody(Body):
    """Who did what, when. `hash` is over all of it but itself, `previous` the hash of the entry before."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    previous: str
    hash: str


class AuditBody(Body):
    """A page of entries, newest first; `next` is the `cursor` of the next one, or null at the end, `head` the newest of all."""

    entries: list[AuditEntryBody]
    next: str | None
    head: str


class AuditProofBody(Body):
    """What looking at every entry has shown. `problem` names the first bad entry; it is empty where the audit is whole."""

    entries: int
    head: str
    problem: str


class AuditNarrowing(BaseModel):
    """Which entries are asked for."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[str, Field(max_length=256)] = ""
    subject: Annotated[str, Field(max_length=256)] = ""
    action: Annotated[str, Field(max_length=256)] = ""
    since: Moment | None = None

    def filter(self) -> AuditFilter:
        """As the store takes it."""
        return AuditFilter(actor=self.actor, subject=self.subject, action=self.action, since=self.since)


class AuditQuery(AuditNarrowing, PageQuery):
    """The same, a page at a time."""


router = APIRouter(prefix="/api/v1/audit", responses=PROBLEMS)


@router.get("")
def list_entries(panel: PanelDependency, principal: Bearer, asked: Annotated[AuditQuery, Query()], paging: PagingDependency) -> AuditBody:
    """Give entries, newest first, a page at a time."""
    principal.demand(audit.RIGHT)
    store = panel.appliance.store.audit
    rows = store.list(asked.filter(), limit=asked.rows, before=asked.before())
    page = paging.cut(asked, rows, lambda row: (row.number,))
    following = cursor_of((page[-1].number,)) if len(rows) > len(page) else None
    return AuditBody(entries=[AuditEntryBody.model_validate(row) for row in page], next=following, head=store.head().hash)


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {"application/x-ndjson": {}}}})
def export(panel: PanelDependency, principal: Bearer, asked: Annotated[AuditNarrowing, Query()]) -> StreamingResponse:
    """Give entries as JSON lines, oldest first; without filters they can be verified anywhere."""
    return audit.export(panel, principal, asked.filter())


@router.get("/verification")
def verify(
    panel: PanelDependency,
    principal: Bearer,
    head: Annotated[str, Query(pattern="^([0-9a-f]{64})?$", description="A hash that was noted earlier")] = "",
) -> AuditProofBody:
    """Look at every entry: as it was written, in its place, none missing."""
    return AuditProofBody.model_validate(audit.verify(panel, principal, head))
