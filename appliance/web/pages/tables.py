"""The tables of a recovery point: some are restored beside the live ones."""

from fastapi import APIRouter, Response

from appliance.operations.browsing import Wanted
from appliance.web import downloads
from appliance.web.access import Principal
from appliance.web.downloads import Place
from appliance.web.errors import Problem
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn

router = APIRouter(prefix="/backups/{name}/tables", include_in_schema=False)


@router.get("")
def show_tables(panel: PanelDependency, principal: LoggedIn, place: Place) -> Response:
    """Show which there are."""
    return _form(panel, principal, place)


@router.post("")
def restore_tables(panel: PanelDependency, form: Form, place: Place) -> Response:
    """Request it."""
    ticked = form.ticked("table")
    wanted = {"point": place.point, "tables": ticked, "repository": place.repository}
    return send_or_show(
        lambda: send(panel, form.principal, "restore-tables", place.instance, wanted),
        lambda problem: _form(panel, form.principal, place, problem, ticked),
    )


def _form(panel: Panel, principal: Principal, place: Wanted, problem: Problem | None = None, ticked: list[str] | None = None) -> Response:
    point, tables = downloads.tables(panel, principal, place)
    return panel.pages.page(
        "tables.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        name=place.instance,
        repository=place.repository or "",
        point=point,
        points=panel.appliance.store.points.list(place.instance),
        tables=tables,
        ticked=ticked or [],
        problem=problem,
    )
