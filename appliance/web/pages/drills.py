"""What drills have shown over time."""

from fastapi import APIRouter, Response

from appliance.operations.drilled import drills_of
from appliance.web.drills import chart_of
from appliance.web.panel import PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.sessions import LoggedIn

PAGE_CRMS, MOST_DRILLS = 5, 8

router = APIRouter(include_in_schema=False)


@router.get("/drills")
def show_drills(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency) -> Response:
    """Show how long each took, and how old the data was; some CRMs at a time."""
    store = panel.appliance.store
    shown = portion(store.instances.names(), asked, PAGE_CRMS)
    found = [(instance, drills_of(store, instance.name)) for instance in store.instances.some(shown.names)]
    groups = [(instance, drills, chart_of(drills, instance)) for instance, drills in found]
    return panel.pages.page("drills.html", principal=principal, section="/backups", groups=groups, portion=shown, most=MOST_DRILLS)
