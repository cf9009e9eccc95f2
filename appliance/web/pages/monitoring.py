"""What the monitor has seen over time: shares of days, when each CRM was away, and what its users are told of it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from appliance.errors import InvalidRequest
from appliance.operations import noticing
from appliance.operations.alerting import read_alerts
from appliance.operations.promising import promises_of
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.latencies import latencies_of
from appliance.web.panel import LARGEST_ID, Panel, PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.sessions import Form, LoggedIn
from appliance.web.summaries import summarize
from appliance.web.uptimes import MOST_OUTAGES, budget_told, uptimes_of
from appliance.web.uses import uses_of

NEWEST_OUTAGES = 3
PAGE_CRMS = 5

router = APIRouter(include_in_schema=False)


@router.get("/monitoring")
def show_monitoring(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency) -> Response:
    """Show the CRMs' uptime, with the newest outages of each; some CRMs at a time."""
    settings, now = panel.appliance.settings, panel.clock()
    store = panel.appliance.store
    shown = portion(store.instances.names(), asked, PAGE_CRMS)
    instances = {instance.name: instance for instance in store.instances.some(shown.names)}
    uptimes = uptimes_of(settings, list(instances), now=now, outages=NEWEST_OUTAGES)
    promises = {name: promises_of(instance, ()) for name, instance in instances.items()}
    return panel.pages.page(
        "monitoring.html",
        principal=principal,
        section="/monitoring",
        uptimes=uptimes,
        budgets={one.name: budget_told(one.month, promises[one.name].availability_ratio) for one in uptimes},
        latencies=latencies_of(settings, promises, now=now),
        uses=uses_of(store.adoption.some(shown.names), read_alerts(panel.appliance), now),
        portion=shown,
    )


@router.get("/instances/{name}/outages")
def show_outages(name: str, panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all that the ledger has of one CRM. Raises NotFound."""
    return _outages(panel, principal, name)


@router.post("/instances/{name}/notices")
def add_notice(name: str, panel: PanelDependency, form: Form) -> Response:
    """Tell its users something on the status page. Raises NotFound."""
    form.principal.demand("notice")
    try:
        noticing.add_notice(panel.appliance, name, form.text("text"), outage=form.text("outage"), by=form.principal.name, now=panel.clock())
    except InvalidRequest as error:
        return _outages(panel, form.principal, name, problem_of(error), text=form.text("text"), about=form.text("outage"))
    return RedirectResponse(f"/instances/{name}/outages", 303)


@router.post("/instances/{name}/notices/{notice_id}/remove")
def remove_notice(name: str, notice_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], panel: PanelDependency, form: Form) -> Response:
    """Take a notice back. Raises NotFound."""
    form.principal.demand("notice")
    panel.appliance.store.notices.remove(notice_id, by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}/outages", 303)


def _outages(panel: Panel, principal: Principal, name: str, problem: Problem | None = None, *, text: str = "", about: str = "") -> Response:
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
        about=about,
    )
