"""Links that show an operation's log, redacted: made, listed and revoked by who may; opened by whoever has one."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.domain.operation import Operation
from appliance.domain.shared_log import FEWEST_DAYS, MOST_DAYS, USUAL_DAYS
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.sharing import PATH, shown_log
from appliance.web import sharing
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import OperationDependency, Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn, address_of

router = APIRouter(prefix="/operations/{operation_id}/share", include_in_schema=False)
outside = APIRouter(include_in_schema=False)
PREVIEWED = 500
"""Lines: the newest, named as the link names them, which shows more."""
UNLISTED = {"X-Robots-Tag": "noindex, nofollow, noarchive"}


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn, operation: OperationDependency) -> Response:
    """Show what would be seen, and the links that last."""
    return _page(panel, principal, operation)


@router.post("")
def share(panel: PanelDependency, form: Form, operation: OperationDependency) -> Response:
    """Make a link, and show it this once."""
    try:
        address, _ = sharing.share(panel, form.principal, operation, form.number("days"))
    except (InvalidRequest, Conflict) as error:
        return _page(panel, form.principal, operation, problem=problem_of(error))
    return _page(panel, form.principal, operation, address=address)


@router.post("/{share_id}/revoke")
def revoke(panel: PanelDependency, form: Form, operation: OperationDependency, share_id: str) -> Response:
    """Let it open nothing any more."""
    sharing.revoke(panel, form.principal, operation, share_id)
    return RedirectResponse(f"/operations/{operation.id}/share", 303)


def _page(panel: Panel, principal: Principal, operation: Operation, *, address: str = "", problem: Problem | None = None) -> Response:
    shares = sharing.shares_of(panel, principal, operation)
    return panel.pages.page(
        "share.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/operations",
        operation=operation,
        shares=shares,
        address=address,
        problem=problem,
        shown=shown_log(panel.appliance, operation, most=PREVIEWED),
        days={"fewest": FEWEST_DAYS, "usual": USUAL_DAYS, "most": MOST_DAYS},
    )


@outside.get(PATH + "{token}")
def open_share(request: Request, panel: PanelDependency, token: str) -> Response:
    """Show a log to whoever has its link; nothing else of the panel is on the page."""
    shown = sharing.opened(panel, token, address_of(request))
    page = panel.pages.bare("shared.html", shown=shown)
    page.headers.update(UNLISTED)
    return page
