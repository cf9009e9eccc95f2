"""Everything under /api/v1."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
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
    ObjectivesBody,
    OperationBody,
    OperationsBody,
    OperationsQuery,
    PreviewBody,
    ProblemBody,
    ProductBody,
    RecoveryPointBody,
    RequestBody,
    TokenBody,
)
from appliance.web.live import follow, resume_after
from appliance.web.offers import offered_products
from appliance.web.panel import LARGEST_ID, OperationDependency, PanelDependency
from appliance.web.requesting import send
from appliance.web.sessions import Bearer

After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="Only lines above this id")]
Keep = Annotated[list[str], Query(description="What is to be kept, each as daily=7", max_length=7)]
USUAL_KEEP = ["daily=7", "weekly=4", "monthly=12"]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"description": text, "model": ProblemBody, "content": {"application/problem+json": {}}}
    for code, text in ((401, "No valid token"), (403, "The role does not suffice"), (404, "No such thing"), (422, "Not understood"))
}
BUSY: dict[int | str, dict[str, Any]] = {409: {"description": "Busy, taken, or refused by a preflight check", "model": ProblemBody}}

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get("/products")
def list_products(panel: PanelDependency, _: Bearer) -> list[ProductBody]:
    """Give the products that can be installed."""
    return [ProductBody.of(product) for product in offered_products(panel.appliance.catalogue)]


@router.get("/certificate-authority")
def get_authority(panel: PanelDependency, _: Bearer) -> AuthorityBody:
    """Give the certificate of the authority that the appliance keeps."""
    pair = authority(panel.appliance, panel.clock())
    return AuthorityBody(certificate=pair.certificate, not_after=pair.not_after)


@router.get("/instances")
def list_instances(panel: PanelDependency, _: Bearer) -> list[InstanceBody]:
    """Give every CRM, by name."""
    return [InstanceBody.of(instance) for instance in panel.appliance.store.instances.list()]


@router.get("/instances/{name}")
def get_instance(panel: PanelDependency, _: Bearer, name: str) -> InstanceBody:
    """Give one CRM."""
    return InstanceBody.of(panel.appliance.store.instances.get(name))


@router.get("/instances/{name}/recovery-points")
def list_recovery_points(panel: PanelDependency, _: Bearer, name: str) -> list[RecoveryPointBody]:
    """Give the recovery points of an instance, newest first; they outlive it."""
    return [RecoveryPointBody.of(point) for point in panel.appliance.store.points.list(name)]


@router.get("/instances/{name}/retention")
def show_retention(panel: PanelDependency, _: Bearer, name: str, keep: Keep = USUAL_KEEP) -> PreviewBody:
    """Give what retention would give up by a rule, were it now; nothing is changed."""
    return PreviewBody.of(preview_retention(panel.appliance, name, read_numbers(keep), panel.clock()))


@router.get("/recovery-points")
def list_all_recovery_points(panel: PanelDependency, _: Bearer) -> list[RecoveryPointBody]:
    """Give every recovery point, of removed instances too, by instance and newest first."""
    return [RecoveryPointBody.of(point) for point in panel.appliance.store.points.all()]


@router.get("/drills")
def list_drills(panel: PanelDependency, _: Bearer, instance: Annotated[str | None, Query(max_length=64)] = None) -> list[DrillBody]:
    """Give what drills have shown, of one CRM or of all, newest first."""
    return [DrillBody.of(drill) for drill in drills_of(panel.appliance.store, instance)]


@router.get("/tokens")
def list_tokens(panel: PanelDependency, principal: Bearer) -> list[TokenBody]:
    """Give the bearer tokens by name, without what opens the API."""
    principal.demand("tokens")
    return [TokenBody.of(token) for token in panel.appliance.store.access.tokens()]


@router.delete("/tokens/{name:path}", status_code=204)
def revoke_token(panel: PanelDependency, principal: Bearer, name: str) -> None:
    """Revoke a token: it opens nothing from now on, even if it is the one that asks."""
    principal.demand("tokens")
    access = panel.appliance.store.access
    access.revoke_token(name)
    access.audit(actor=principal.name, action="revoke token", subject=name, detail={}, now=panel.clock())


@router.get("/operations")
def list_operations(panel: PanelDependency, _: Bearer, asked: Annotated[OperationsQuery, Query()]) -> OperationsBody:
    """Give operations, newest first, a page at a time."""
    rows = panel.appliance.store.operations.list(
        instance=asked.instance, kind=asked.kind, status=asked.status, limit=asked.limit + 1, before=asked.before
    )
    older = rows[asked.limit - 1].id if len(rows) > asked.limit else None
    return OperationsBody(operations=[OperationBody.of(row) for row in rows[: asked.limit]], older=older)


@router.post("/operations", status_code=202, responses=BUSY)
def request_operation(panel: PanelDependency, principal: Bearer, body: RequestBody, response: Response) -> OperationBody:
    """Request an operation; it is recorded when this answers, and the worker carries it out."""
    operation = send(panel, principal, body.kind, body.instance, body.parameters)
    response.headers["Location"] = f"/api/v1/operations/{operation.id}"
    return OperationBody.of(operation)


@router.get("/operations/{operation_id}")
def get_operation(operation: OperationDependency, _: Bearer) -> OperationBody:
    """Give one operation with its steps."""
    return OperationBody.of(operation)


@router.post("/operations/{operation_id}/cancel", responses=BUSY)
def cancel_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> OperationBody:
    """Ask an operation to stop at its next safe point."""
    principal.demand(operation.kind)
    return OperationBody.of(cancel(panel.appliance, operation.id, requested_by=principal.name, now=panel.clock()))


@router.post("/operations/{operation_id}/approve", responses=BUSY)
def approve_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> OperationBody:
    """Agree to what somebody else has requested of an instance that asks for it."""
    principal.demand(right_for(operation.kind, operation.parameters))
    return OperationBody.of(approve(panel.appliance, operation.id, approved_by=principal.name, now=panel.clock()))


@router.post("/instances/{name}/approval", status_code=204)
def ask_approval(panel: PanelDependency, principal: Bearer, name: str, body: ApprovalBody) -> None:
    """Say whether a second person has to agree to what changes a CRM."""
    principal.demand("approval")
    panel.appliance.store.instances.ask_approval(name, wanted=body.wanted, by=principal.name, now=panel.clock())


@router.post("/instances/{name}/objectives", status_code=204)
def promise(panel: PanelDependency, principal: Bearer, name: str, body: ObjectivesBody) -> None:
    """Say what is promised of a CRM; what is left out is promised no longer."""
    principal.demand("objectives")
    objectives = read_objectives(body.model_dump())
    panel.appliance.store.instances.promise(name, objectives, by=principal.name, now=panel.clock())


@router.post("/operations/{operation_id}/retry", status_code=202, responses=BUSY)
def retry_operation(panel: PanelDependency, principal: Bearer, operation: OperationDependency) -> OperationBody:
    """Request an operation anew that ended without its result, or go on with one that needs attention."""
    principal.demand(right_for(operation.kind, operation.parameters))
    return OperationBody.of(retry(panel.appliance, operation.id, requested_by=principal.name, now=panel.clock()))


@router.get("/operations/{operation_id}/log")
def get_log(
    panel: PanelDependency, _: Bearer, operation: OperationDependency, after: After = 0, limit: Annotated[int, Query(ge=1, le=5000)] = 1000
) -> LogBody:
    """Give lines of an operation's log."""
    lines = panel.appliance.store.logs.lines(operation.id, after=after, limit=limit)
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
    panel: PanelDependency,
    _: Bearer,
    operation: OperationDependency,
    last_event_id: Annotated[str | None, Header()] = None,
    after: After = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Send events `line` and `operation` as they come, then `end`; `Last-Event-ID` or `after` says where to go on."""
    start = resume_after(last_event_id, after)
    async for event in follow(panel.appliance.store, operation.id, after=start, telling=JsonTelling()):
        yield event
