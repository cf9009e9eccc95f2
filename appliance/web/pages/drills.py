"""What drills have shown over time."""

from fastapi import APIRouter, Response

from appliance.operations.drilled import drills_of
from appliance.web.drills import chart_of
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn
from appliance.web.summaries import instances_of

router = APIRouter(include_in_schema=False)


@router.get("/drills")
def show_drills(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show how long each took, and how old the data was."""
    store = panel.appliance.store
    found = [(instance, drills_of(store, instance.name)) for instance in instances_of(store)]
    groups = [(instance, drills, chart_of(drills, instance)) for instance, drills in found]
    return panel.pages.page("drills.html", principal=principal, section="/backups", groups=groups)
