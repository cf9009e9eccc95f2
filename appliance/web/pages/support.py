"""The support bundle: what is in it, and the bundle itself."""

from fastapi import APIRouter, Response

from appliance.web import supporting
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn

router = APIRouter(prefix="/support", include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Say what is in it."""
    principal.demand(supporting.RIGHT)
    return panel.pages.page("support.html", principal=principal, section="/support")


@router.get("/bundle")
def download(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Give it."""
    return supporting.give(panel, principal)
