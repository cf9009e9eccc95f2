"""What the monitor has seen over time: shares of days, and when each CRM was away."""

from fastapi import APIRouter, Response

from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn
from appliance.web.summaries import instances_of, summarize
from appliance.web.uptimes import uptimes_of

NEWEST_OUTAGES, ALL_OUTAGES = 3, 1000

router = APIRouter(include_in_schema=False)


@router.get("/monitoring")
def show_monitoring(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show every CRM's uptime, with its newest outages."""
    settings, now = panel.appliance.settings, panel.clock()
    names = [instance.name for instance in instances_of(panel.appliance.store)]
    uptimes = uptimes_of(settings, names, now=now, outages=NEWEST_OUTAGES)
    return panel.pages.page("monitoring.html", principal=principal, section="/monitoring", uptimes=uptimes, names=names)


@router.get("/instances/{name}/outages")
def show_outages(name: str, panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all that the ledger has of one CRM. Raises NotFound."""
    instance, now = panel.appliance.store.instances.get(name), panel.clock()
    uptimes = uptimes_of(panel.appliance.settings, [name], now=now, outages=ALL_OUTAGES)
    summary = summarize(panel.appliance, instance, now)
    return panel.pages.page("outages.html", principal=principal, section="/monitoring", summary=summary, uptimes=uptimes)
