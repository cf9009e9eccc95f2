"""Which browsers are logged in."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.web import browsers
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Form, LoggedIn

router = APIRouter(prefix="/sessions", include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show one's own, or everybody's."""
    seen = browsers.seen_by(panel, principal)
    own = [one for one in seen if one.user == principal.name]
    others = [one for one in seen if one.user != principal.name]
    return panel.pages.page("sessions.html", principal=principal, section="/sessions", own=own, others=others)


@router.post("/end-others")
def end_others(panel: PanelDependency, form: Form) -> Response:
    """Log every other browser of one's own out."""
    browsers.end_all(panel, form.principal, form.principal.name, but=form.principal.csrf)
    return RedirectResponse("/sessions", 303)


@router.post("/{session_id}/end")
def end(panel: PanelDependency, form: Form, session_id: str) -> Response:
    """Log one browser out."""
    browsers.end(panel, form.principal, session_id)
    return RedirectResponse("/sessions", 303)
