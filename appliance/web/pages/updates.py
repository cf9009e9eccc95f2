"""What waits to be installed, what could not be asked, and when it is installed by itself."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.host import patch_kind
from appliance.operations.pending import look, subjects_of
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.panel import Panel, PanelDependency
from appliance.web.patching import patch_parameters
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn

router = APIRouter(prefix="/updates", include_in_schema=False)


@router.get("")
def list_updates(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show what was found when it was asked last; who was never asked is listed as such."""
    return _page(panel, principal)


@router.post("")
def ask_now(panel: PanelDependency, form: Form) -> Response:
    """Ask all of them now."""
    form.principal.demand("look")
    look(panel.appliance, subjects_of(panel.appliance), now=panel.clock())
    return RedirectResponse("/updates", 303)


@router.post("/patch")
def patch(panel: PanelDependency, form: Form) -> Response:
    """Patch an instance, a host or the fleet now."""
    subject = form.text("subject")
    return send_or_show(
        lambda: send(panel, form.principal, patch_kind(subject), subject, patch_parameters(form, subject)),
        lambda problem: _page(panel, form.principal, problem),
    )


@router.post("/pause")
def pause(panel: PanelDependency, form: Form) -> Response:
    """Pause all schedules, or one; or let them go on."""
    form.principal.demand("schedule")
    schedules, paused, name = panel.appliance.store.schedules, form.text("paused") == "yes", form.text("name")
    if name:
        schedules.pause(name, paused=paused, by=form.principal.name, now=panel.clock())
    else:
        schedules.pause_all(paused=paused, by=form.principal.name, now=panel.clock())
    return RedirectResponse("/updates", 303)


def _page(panel: Panel, principal: Principal, problem: Problem | None = None) -> Response:
    store = panel.appliance.store
    answers = {one.subject: one for one in store.pending.list()}
    hosts = {host.subject: host for host in store.hosts.list()}
    rows = [(subject, hosts.get(subject), answers.get(subject)) for subject in subjects_of(panel.appliance)]
    schedules = [(one, one.window.next(panel.clock())) for one in store.schedules.list()]
    return panel.pages.page(
        "updates.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/updates",
        problem=problem,
        rows=rows,
        schedules=schedules,
        paused=store.schedules.paused_by(),
    )
