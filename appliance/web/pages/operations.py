"""The list of operations, one operation with its live log, and what can be asked of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.requesting import approve, cancel, retry
from appliance.store.logs import LogLine
from appliance.web.access import NEEDED, Principal, right_for
from appliance.web.live import follow, is_moving, resume_after
from appliance.web.panel import OperationDependency, PanelDependency
from appliance.web.sessions import Form, LoggedIn
from appliance.web.summaries import instances_of
from appliance.web.templating import Pages

PAGE_ROWS = 30
FIRST_LINES = 5000
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
        "instance": [*(one.name for one in instances_of(store)), *(one.subject for one in store.hosts.list())],
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
    """Show one operation; what is logged so far is in the page, the rest follows by the stream."""
    lines = panel.appliance.store.logs.lines(operation.id, limit=FIRST_LINES)
    return panel.pages.page(
        "operation.html",
        principal=principal,
        section="/operations",
        operation=operation,
        lines=lines,
        shown_step=None,
        after=lines[-1].id if lines else 0,
        follows=is_moving(operation) or len(lines) == FIRST_LINES,
        **_possibilities(principal, operation),
    )


def _possibilities(principal: Principal, operation: Operation) -> dict[str, bool]:
    may = principal.may(operation.kind)
    may_again = principal.may(right_for(operation.kind, operation.parameters))
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
        """Append to the log."""
        text = self.pages.text("parts/log_lines.html", {"lines": lines, "shown_step": self.shown_step})
        self.shown_step = lines[-1].step
        return [ServerSentEvent(raw_data=text, id=str(lines[-1].id))]

    def state(self, operation: Operation) -> ServerSentEvent:
        """Replace the part above and beside the log."""
        context = {"operation": operation, "principal": self.principal, **_possibilities(self.principal, operation)}
        return ServerSentEvent(raw_data=self.pages.text("parts/operation_stream.html", context))


@router.get("/{operation_id}/stream", response_class=EventSourceResponse)
async def stream_operation(
    panel: PanelDependency,
    principal: LoggedIn,
    operation: OperationDependency,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0)] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Send what is logged and what changes, from the last line that the reader has."""
    telling = PageTelling(pages=panel.pages, principal=principal)
    start = resume_after(last_event_id, after)
    async for event in follow(panel.appliance.store, operation.id, after=start, telling=telling):
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
    form.principal.demand(operation.kind)
    cancel(panel.appliance, operation.id, requested_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{operation.id}", 303)


@router.post("/{operation_id}/approve")
def approve_operation(panel: PanelDependency, operation: OperationDependency, form: Form) -> Response:
    """Agree to what somebody else has requested."""
    form.principal.demand(right_for(operation.kind, operation.parameters))
    approve(panel.appliance, operation.id, approved_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{operation.id}", 303)


@router.post("/{operation_id}/retry")
def retry_operation(panel: PanelDependency, operation: OperationDependency, form: Form) -> Response:
    """Try it again, or go on where it needs attention."""
    form.principal.demand(right_for(operation.kind, operation.parameters))
    begun = retry(panel.appliance, operation.id, requested_by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/operations/{begun.id}", 303)
