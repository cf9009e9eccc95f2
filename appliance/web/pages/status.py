"""The status page, for the users of CRMs; it is open to whoever can reach the panel, and not there while no CRM is published."""

from fastapi import APIRouter, Response

from appliance.errors import NotFound
from appliance.web.panel import Panel, PanelDependency
from appliance.web.status import statuses

STYLE = "status.css"
EXPORTED = {"Content-Disposition": 'attachment; filename="status.html"'}

router = APIRouter(include_in_schema=False)


@router.get("/status")
def show_status(panel: PanelDependency) -> Response:
    """Show whether each published CRM works. Raises NotFound while there is none."""
    return _page(panel, style="")


@router.get("/status/export")
def export_status(panel: PanelDependency) -> Response:
    """Give the same as one file that needs no other, for a web server elsewhere. Raises NotFound."""
    page = _page(panel, style=panel.assets.by_name[STYLE].content.decode())
    page.headers.update(EXPORTED)
    return page


def _page(panel: Panel, *, style: str) -> Response:
    found = statuses(panel.appliance, panel.clock())
    if not found:
        raise NotFound("There is no such page.")
    return panel.pages.bare("status.html", statuses=found, style=style)
