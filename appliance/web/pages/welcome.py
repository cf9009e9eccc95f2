"""The first steps: what is done, whether the machine is fit, and the three ways to go on."""

from fastapi import APIRouter, Response

from appliance.operations.this_machine import examine_this_machine
from appliance.web.panel import PanelDependency
from appliance.web.sessions import LoggedIn

router = APIRouter(include_in_schema=False)


@router.get("/welcome")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show them."""
    store = panel.appliance.store
    return panel.pages.page(
        "welcome.html",
        principal=principal,
        section="/",
        findings=examine_this_machine(panel.appliance),
        has_second_factor=store.second_factors.find(principal.name) is not None,
        has_crm=bool(store.instances.names()),
    )
