"""Everything under /api/v1."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from appliance.domain.objectives import read_objectives
from appliance.domain.operation import Operation
from appliance.domain.retention import read_numbers
from appliance.operations.certifying import authority
from appliance.operations.drilled import drills_of
from appliance.operations.previewing import preview_retention
from appliance.operations.requesting import approve, cancel, retry
from appliance.store.logs import LogLine
from appliance.web.access import right_for
from appliance.web.api.bodies import (
    ApprovalBody,
    AuthorityBody,
    DrillBody,
    InstanceBody,
    LogBody,
    LogLineBody,
    NewObjectivesBody,
    OperationBody,
    OperationsBody,
    OperationsQuery,
    PreviewBody,
    RecoveryPointBody,
    RequestBody,
)
from appliance.web.api.once import OnceDependency
from appliance.web.api.paging import InstanceQuery, PageQuery, PagingDependency, cursor_of
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.api.tags import UNMET, PreconditionDependency
from appliance.web.live import follow, resume_after
from appliance.web.panel import LARGEST_ID, OperationDependency, PanelDependency
from appliance.web.requesting import send
from appliance.web.sessions import Bearer, bearer_token, opens

Asked = Annotated[PageQuery, Query()]
After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="Only lines above this id")]
Keep = Annotated[list[str], Query(description="What is to be kept, each as daily=7", max_length=7)]
USUAL_KEEP = ["daily=7", "weekly=4", "monthly=12"]

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/certificate-authority")
def get_authority(panel: PanelDependency, _: Bearer) -> AuthorityBody:
    """Give the certificate of the authority that the appliance keeps."""
    pair = authority(panel.appliance, panel.clock())
    return AuthorityBody(certificate=pair.certificate, not_after=pair.not_after)


@router.get("/instances")
def list_instances(panel: PanelDependency, _: Bearer, asked: Asked, paging: PagingDependency) -> list[InstanceBody]:
    """Give the CRMs, by name, a page at a time."""
    (after,) = asked.after(str) or ("",)
    rows = panel.appliance.store.instances.list(after=after, limit=asked.rows)
    return [InstanceBody.of(instance) for instance in paging.cut(asked, rows, lambda row: (row.name,))]


@router.get("/instances/{name}")
def get_instance(panel: PanelDependency, _: Bearer, name: str) -> InstanceBody:
    """Give one CRM."""
    return InstanceBody.of(panel.appliance.store.instances.get(name))


@router.get("/instances/{name}/recovery-points")
def list_recovery_points(panel: PanelDependency, _: Bearer, name: str, asked: Asked, paging: PagingDependency) -> list[RecoveryPointBody]:
    """Give the recovery points of an instance, newest first, a page at a time; they outlive it."""
    rows = panel.appliance.store.points.list(name, below=asked.after(datetime, str), limit=asked.rows)
    return [RecoveryPointBody.of(point) for point in paging.cut(asked, rows, lambda row: (row.at, row.id))]


@router.get("/instances/{name}/retention")
def show_retention(panel: PanelDependency, _: Bearer, name: str, keep: Keep = USUAL_KEEP) -> PreviewBody:
    """Give what retention would give up by a rule, were it now; nothing is changed."""
    return PreviewBody.of(preview_retention(panel.appliance, name, read_numbers(keep), panel.clock()))


@router.get("/recovery-points")
def list_all_recovery_points(panel: PanelDependency, _: Bearer, asked: Asked, paging: PagingDependency) -> list[RecoveryPointBody]:
    """Give recovery points, of removed instances too, by instance and newest first, a page at a time."""
    rows = panel.appliance.store.points.all(below=asked.after(str, datetime, str), limit=asked.rows)
    return [RecoveryPointBody.of(point) for point in paging.cut(asked, rows, lambda row: (row.instance, row.at, row.id))]


@router.get("/drills")
def list_drills(panel: PanelDependency, _: Bearer, asked: Annotated[InstanceQuery, Query()], paging: PagingDependency) -> list[DrillBody]:
    """Give what drills have shown, of one CRM or of all, newest first, a page at a time."""
    rows = drills_of(panel.appliance.store, asked.instance, before=asked.before(), limit=asked.rows)
    return [DrillBody.of(drill) for drill in paging.cut(asked, rows, lambda row: (row.operation.id,))]


@router.get("/operations")
def list_operations(
    panel: PanelDependency, _: Bearer, asked: Annotated[OperationsQuery, Query()], paging: PagingDependency
) -> OperationsBody:
    """Give operations, newest first, a page at a time."""
    filters = asked.model_dump(include={"instance", "kind", "status", "since", "until"})
    rows = panel.appliance.store.operations.list(**filters, limit=asked.rows, before=asked.before())
    page = paging.cut(asked, rows, lambda row: (row.id,))
    following = cursor_of((page[-1].id,)) if len(rows) > len(page) else None
    return OperationsBody(operations=[OperationBody.of(row) for row in page], next=following)


@router.post("/operations", status_code=202, responses=BUSY)
def request_operation(panel: PanelDependency, principal: Bearer, body: RequestBody, once: OnceDependency) -> OperationBody:
    """Request an operation; it is recorded when this answers, and the worker carries it out."""
    return once.answer(lambda key: send(panel, principal, body.kind, body.instance, body.parameters, key=key))


@router.get("/operations/{operation_id}")
def get_operation(operation: OperationDependency, _: Bearer) -> OperationBody:
    """Give one operation with its steps."""
    return OperationBody.of(operation)


@router.post("/operations/{operation_id}/cancel", responses=BUSY)
def cancel_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> OperationBody:
    """Ask an operation to stop at its next safe point."""
    principal.demand(operation.kind, operation.instance)
    return OperationBody.of(cancel(panel.appliance, operation.id, requested_by=principal.name, now=panel.clock()))


@router.post("/operations/{operation_id}/approve", responses=BUSY)
def approve_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> OperationBody:
    """Agree to what somebody else has requested of an instance that asks for it."""
    principal.demand(right_for(operation.kind, operation.parameters), operation.instance)
    return OperationBody.of(approve(panel.appliance, operation.id, approved_by=principal.name, now=panel.clock()))


@router.post("/instances/{name}/approval", status_code=204, responses=UNMET)
def ask_approval(panel: PanelDependency, principal: Bearer, name: str, body: ApprovalBody, still: PreconditionDependency) -> None:
    """Say whether a second person has to agree to what changes a CRM."""
    principal.demand("approval")
    with still.on(lambda: get_instance(panel, principal, name)):
        panel.appliance.store.instances.ask_approval(name, wanted=body.wanted, by=principal.name, now=panel.clock())


@router.post("/instances/{name}/objectives", status_code=204, responses=UNMET)
def promise(panel: PanelDependency, principal: Bearer, name: str, body: NewObjectivesBody, still: PreconditionDependency) -> None:
    """Say what is promised of a CRM; what is left out is promised no longer."""
    principal.demand("objectives")
    objectives = read_objectives(body.model_dump())
    with still.on(lambda: get_instance(panel, principal, name)):
        panel.appliance.store.instances.promise(name, objectives, by=principal.name, now=panel.clock())


@router.post("/operations/{operation_id}/retry", status_code=202, responses=BUSY)
def retry_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency, once: OnceDependency) -> OperationBody:
    """Request an operation anew that ended without its result, or go on with one that needs attention."""
    principal.demand(right_for(operation.kind, operation.parameters), operation.instance)
    return once.answer(lambda key: retry(panel.appliance, operation.id, requested_by=principal.name, now=panel.clock(), key=key))


@router.get("/operations/{operation_id}/log")
def get_log(
    panel: PanelDependency,
    _: Bearer,
    operation: OperationDependency,
    paging: PagingDependency,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> LogBody:
    """Give lines of an operation's log; the header `Link` leads on where there are more of them already."""
    found = panel.appliance.store.logs.lines(operation.id, after=after, limit=limit + 1)
    lines = found[:limit]
    if len(found) > limit:
        paging.point_to(after=str(lines[-1].id))
    return LogBody(lines=[LogLineBody.of(line) for line in lines], last=lines[-1].id if lines else after)


class JsonTelling:
    """Tells lines as events `line` with their ids, states as events `operation`."""

    def lines(self, lines: Sequence[LogLine]) -> list[ServerSentEvent]:
        """One event for each line."""
        return [ServerSentEvent(event="line", id=str(line.id), data=LogLineBody.of(line)) for line in lines]

    def state(self, operation: Operation) -> ServerSentEvent:
        """The operation as `GET` would give it."""
        return ServerSentEvent(event="operation", data=OperationBody.of(operation))


@router.get("/operations/{operation_id}/log/stream", response_class=EventSourceResponse)
async def stream_log(
    request: Request,
    panel: PanelDependency,
    _: Bearer,
    operation: OperationDependency,
    last_event_id: Annotated[str | None, Header()] = None,
    after: After = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Send events `line` and `operation` as they come, then `end`, also when the token opens nothing any more.

    `Last-Event-ID` or `after` says where to go on.
    """
    start, token = resume_after(last_event_id, after), bearer_token(request)
    is_admitted = partial(opens, panel, token)
    async for event in follow(panel.tails, operation.id, after=start, telling=JsonTelling(), is_admitted=is_admitted):
        yield event
