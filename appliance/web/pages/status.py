"""The status page, for the users of CRMs; it is open to whoever can reach the panel, and not there while no CRM is published."""

from fastapi import APIRouter, Response

from appliance.errors import NotFound
from appliance.web.languages import gettext
from appliance.web.panel import Panel, PanelDependency
from appliance.web.portions import Narrowing, NarrowingDependency, Portion, portion
from appliance.web.status import published, statuses

PAGE_CRMS = 10
STYLE = "status.css"
EXPORTED = {"Content-Disposition": 'attachment; filename="status.html"'}

router = APIRouter(include_in_schema=False)


@router.get("/status")
def show_status(panel: PanelDependency, asked: NarrowingDependency) -> Response:
    """Show whether each published CRM works, some CRMs at a time. Raises NotFound while there is none."""
    return _page(panel, portion(published(panel.appliance), asked, PAGE_CRMS), style="")


@router.get("/status/export")
def export_status(panel: PanelDependency) -> Response:
    """Give the same as one file that needs no other, for a web server elsewhere. Raises NotFound."""
    names = published(panel.appliance)
    page = _page(panel, portion(names, Narrowing(), max(1, len(names))), style=panel.assets.by_name[STYLE].content.decode())
    page.headers.update(EXPORTED)
    return page


def _page(panel: Panel, shown: Portion, *, style: str) -> Response:
    if not shown.there:
        raise NotFound(gettext("There is no such page."))
    return panel.pages.bare("status.html", statuses=statuses(panel.appliance, shown.names, panel.clock()), portion=shown, style=style)
