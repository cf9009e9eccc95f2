"""The form that patches the fleet now: who of it first, what on hosts, and after how many failures it stops."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from appliance.domain.host import FLEET
from appliance.domain.operation import Operation
from appliance.operations.kinds.fleet_patch import FLEET_PATCH, fleet
from appliance.operations.kinds.host_patch import What
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.panel import Panel, PanelDependency
from appliance.web.patching import patch_parameters
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission

router = APIRouter(prefix="/updates/fleet", include_in_schema=False)

USUAL = {"stop_after": "1", "what": What.SECURITY.value}


@router.get("")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask how the fleet is to be patched, and who of it first."""
    return _form(panel, principal, USUAL)


@router.post("")
def patch(panel: PanelDependency, form: Form) -> Response:
    """Patch it now; or show the form again with what is wrong in it."""
    return send_or_show(
        lambda: _send(panel, form),
        lambda problem: _form(panel, form.principal, form.fields, problem),
    )


def _send(panel: Panel, form: Submission) -> Operation:
    form.principal.demand(FLEET_PATCH.kind)
    wanted = {**patch_parameters(form, FLEET), "stop_after": form.number("stop_after")}
    return send(panel, form.principal, FLEET_PATCH.kind, FLEET, wanted)


def _form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    principal.demand(FLEET_PATCH.kind)
    return panel.pages.page(
        "fleet.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/updates",
        problem=problem,
        values=values,
        members=fleet(panel.appliance),
    )
