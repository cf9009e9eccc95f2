"""The list of operations, one operation with its live log, and what can be asked of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.requesting import approve, cancel, retry
from appliance.store.logs import LogLine
from appliance.web.access import NEEDED, Principal, is_grave, right_for
from appliance.web.confirming import Doing, confirmed, doing
from appliance.web.live import follow, is_moving, resume_after
from appliance.web.panel import OperationDependency, Panel, PanelDependency
from appliance.web.sessions import SESSION_COOKIE, Form, LoggedIn, Submission, cookie_of, is_logged_in
from appliance.web.templating import Pages

PAGE_ROWS = 30
FIRST_LINES = 1000
LONGEST_ID = 18
"""Digits; more would not fit SQLite's integers."""
RETRIABLE = (OperationStatus.FAILED, OperationStatus.ROLLED_BACK, OperationStatus.CANCELLED, OperationStatus.NEEDS_ATTENTION)

router = APIRouter(prefix="/operations", include_in_schema=False)


class Filters(BaseModel):
    """What the list is narrowed to; a value that is no status or number narrows nothing."""

    instance: str = ""
    kind: str = ""
    status: str = ""
    before: str = ""

    def statuses(self) -> list[str]:
        """The status asked for, if there is such a one."""
        return [self.status] if self.status in set(OperationStatus) else []

    def below(self) -> int | None:
        """The id to go on below."""
        is_number = self.before.isascii() and self.before.isdigit() and len(self.before) <= LONGEST_ID
        return int(self.before) if is_number else None


@router.get("")
def list_operations(panel: PanelDependency, principal: LoggedIn, filters: Annotated[Filters, Query()]) -> Response:
    """Show operations, newest first, a page at a time."""
    store = panel.appliance.store
    rows = store.operations.list(
        instance=filters.instance or None, kind=filters.kind or None, status=filters.statuses(), limit=PAGE_ROWS + 1, before=filters.below()
    )
    choices = {
        "instance": [*store.instances.names(), *(one.subject for one in store.hosts.list())],
        "kind": sorted(NEEDED),
        "status": [one.value for one in OperationStatus],
    }
    return panel.pages.page(
        "operations.html",
        principal=principal,
        section="/operations",
        operations=rows[:PAGE_ROWS],
        older=rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None,
        filters=filters.model_dump(exclude={"before"}),
        is_first=filters.below() is None,
        choices=choices,
    )


@router.get("/{operation_id}")
def show_operation(panel: PanelDependency, principal: LoggedIn, operation: OperationDependency) -> Response:
    """Show one operation; the newest of what is logged so far is in the page, the rest follows by the stream."""
    logs = panel.appliance.store.logs
    lines, count = logs.newest(operation.id, FIRST_LINES), logs.count(operation.id)
    return panel.pages.page(
        "operation.html",
        principal=principal,
        section="/operations",
        operation=operation,
        lines=lines,
        shown_step=None,
        after=lines[-1].id if lines else 0,
        earlier=max(0, count - len(lines)),
        follows=is_moving(operation),
        **_possibilities(principal, operation),
    )


def _possibilities(principal: Principal, operation: Operation) -> dict[str, bool]:
    may = principal.may(operation.kind, operation.instance)
    may_again = principal.may(right_for(operation.kind, operation.parameters), operation.instance)
    return {
        "can_cancel": may and is_moving(operation) and not operation.cancel_requested,
        "can_approve": may_again and operation.awaits_approval and operation.requested_by != principal.name,
        "can_retry": may_again and operation.status in RETRIABLE,
    }


@dataclass(kw_only=True)
class PageTelling:
    """Tells lines and states as fragments of the page of one reader; the name of a step is written at its first line only."""

    pages: Pages
    principal: Principal
    shown_step: str | None = None

    def lines(self, lines: Sequence[LogLine]) -> list[ServerSentEvent]:
        """Append to the log; `panel.js` draws them."""
        text = self.pages.text("parts/log_lines.html", {"lines": lines, "shown_step": self.shown_step})
        self.shown_step = lines[-1].step
        return [ServerSentEvent(event="lines", raw_data=text, id=str(lines[-1].id))]

    def state(self, operation: Operation) -> ServerSentEvent:
        """Replace the part above and beside the log."""
        context = {"operation": operation, "principal": self.principal, **_possibilities(self.principal, operation)}
        return ServerSentEvent(raw_data=self.pages.text("parts/operation_stream.html", context))


def last_line(last_event_id: Annotated[str | None, Header()] = None, after: Annotated[int, Query(ge=0)] = 0) -> int:
    """The id of the last line that the reader has."""
    return resume_after(last_event_id, after)


@router.get("/{operation_id}/stream", response_class=EventSourceResponse)
async def stream_operation(
    request: Request,
    panel: PanelDependency,
    principal: LoggedIn,
    operation: OperationDependency,
    start: Annotated[int, Depends(last_line)],
) -> AsyncIterator[ServerSentEvent]:
    """Send what is logged and what changes, from the last line that the reader has, while he is logged in."""
    telling = PageTelling(pages=panel.pages, principal=principal)
    is_admitted = partial(is_logged_in, panel, cookie_of(request, SESSION_COOKIE))
    async for event in follow(panel.tails, operation.id, after=start, telling=telling, is_admitted=is_admitted):
        yield event


@router.get("/{operation_id}/log.txt")
def download_log(panel: PanelDependency, _: LoggedIn, operation: OperationDependency) -> Response:
    """Give the whole log as text."""
    lines = panel.appliance.store.logs.lines(operation.id, limit=1_000_000)
    text = "".join(f"{line.at:%Y-%m-%dT%H:%M:%SZ} {line.step or '-'}: {line.text}\n" for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="operation-{operation.id}.log"'}
    return PlainTextResponse(text, headers=headers)


@router.post("/{operation_id}/cancel")
def cancel_operation(panel: PanelDependency, operation: OperationDependency, form: Form) -> Response:
    """Ask it to stop."""
    form.principal.demand(operation.kind, operation.instance)
    cancel(panel.appliance, operation.id, requested_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{operation.id}", 303)


@router.post("/{operation_id}/approve")
def approve_operation(panel: PanelDependency, operation: OperationDependency, form: Form) -> Response:
    """Agree to what somebody else has requested."""
    form.principal.demand(right_for(operation.kind, operation.parameters), operation.instance)
    _know_again(panel, form, operation, doing("approve: %(kind)s of %(name)s", **_named(operation)))
    approve(panel.appliance, operation.id, approved_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{operation.id}", 303)


@router.post("/{operation_id}/retry")
def retry_operation(panel: PanelDependency, operation: OperationDependency, form: Form) -> Response:
    """Try it again, or go on where it needs attention."""
    form.principal.demand(right_for(operation.kind, operation.parameters), operation.instance)
    _know_again(panel, form, operation, doing("try again: %(kind)s of %(name)s", **_named(operation)))
    begun = retry(panel.appliance, operation.id, requested_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{begun.id}", 303)


def _named(operation: Operation) -> dict[str, str]:
    return {"kind": operation.kind, "name": operation.instance[:64]}


def _know_again(panel: Panel, form: Submission, operation: Operation, what: Doing) -> None:
    """What asks who it is when it is requested does so here, too."""
    if is_grave(operation.kind, operation.parameters):
        confirmed(panel, form, what=what, back=f"/operations/{operation.id}")
