"""What the monitor has seen over time: shares of days, when each CRM was away, and what its users are told of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from appliance.domain.notice import read_notice
from appliance.errors import InvalidRequest
from appliance.operations.promising import promises_of
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import LARGEST_ID, Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn
from appliance.web.summaries import instances_of, summarize
from appliance.web.uptimes import MOST_OUTAGES, budget_told, uptimes_of

NEWEST_OUTAGES = 3

router = APIRouter(include_in_schema=False)


@router.get("/monitoring")
def show_monitoring(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show every CRM's uptime, with its newest outages."""
    settings, now = panel.appliance.settings, panel.clock()
    instances = {instance.name: instance for instance in instances_of(panel.appliance.store)}
    uptimes = uptimes_of(settings, list(instances), now=now, outages=NEWEST_OUTAGES)
    return panel.pages.page(
        "monitoring.html",
        principal=principal,
        section="/monitoring",
        uptimes=uptimes,
        budgets={one.name: budget_told(one.month, promises_of(instances[one.name], ()).availability_ratio) for one in uptimes},
        names=list(instances),
    )


@router.get("/instances/{name}/outages")
def show_outages(name: str, panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all that the ledger has of one CRM. Raises NotFound."""
    return _outages(panel, principal, name)


@router.post("/instances/{name}/notices")
def add_notice(name: str, panel: PanelDependency, form: Form) -> Response:
    """Tell its users something on the status page. Raises NotFound."""
    form.principal.demand("notice")
    store = panel.appliance.store
    store.instances.get(name)
    try:
        store.notices.add(name, read_notice(form.text("text")), by=form.principal.name, now=panel.clock())
    except InvalidRequest as error:
        return _outages(panel, form.principal, name, problem_of(error), text=form.text("text"))
    return RedirectResponse(f"/instances/{name}/outages", 303)


@router.post("/instances/{name}/notices/{notice_id}/remove")
def remove_notice(name: str, notice_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], panel: PanelDependency, form: Form) -> Response:
    """Take a notice back. Raises NotFound."""
    form.principal.demand("notice")
    panel.appliance.store.notices.remove(notice_id, by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}/outages", 303)


def _outages(panel: Panel, principal: Principal, name: str, problem: Problem | None = None, *, text: str = "") -> Response:
    store, now = panel.appliance.store, panel.clock()
    return panel.pages.page(
        "outages.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/monitoring",
        summary=summarize(panel.appliance, store.instances.get(name), now),
        uptimes=uptimes_of(panel.appliance.settings, [name], now=now, outages=MOST_OUTAGES),
        notices=store.notices.list(name),
        problem=problem,
        text=text,
    )
