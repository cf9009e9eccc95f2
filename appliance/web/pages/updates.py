"""What waits to be installed, what could not be asked, and when it is installed by itself."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.host import patch_kind
from appliance.domain.objectives import read_length
from appliance.operations import pausing
from appliance.operations.pending import look, subjects_of
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.panel import Panel, PanelDependency
from appliance.web.patching import patch_parameters
from appliance.web.portions import Narrowing, NarrowingDependency, portion
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn

PAGE_SUBJECTS, PAGE_SCHEDULES = 20, 10
PAUSES = {"hours": (1, 8), "days": (1, 3, 7)}
"""How long all schedules can be paused from here."""

router = APIRouter(prefix="/updates", include_in_schema=False)


@router.get("")
def list_updates(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency) -> Response:
    """Show what was found when it was asked last, of some at a time; who was never asked is listed as such."""
    return _page(panel, principal, asked)


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
        lambda problem: _page(panel, form.principal, Narrowing(), problem),
    )


@router.post("/pause")
def pause(panel: PanelDependency, form: Form) -> Response:
    """Pause all schedules, or one; or let them go on."""
    form.principal.demand("schedule")
    paused, name = form.text("paused") == "yes", form.text("name")
    by, now = form.principal.name, panel.clock()
    if name:
        panel.appliance.store.schedules.pause(name, paused=paused, by=by, now=now)
    elif paused:
        length = read_length(form.text("length"), "length")
        pausing.pause_all(panel.appliance, reason=form.text("reason"), length=length, by=by, now=now)
    else:
        pausing.resume_all(panel.appliance, by=by, now=now)
    return RedirectResponse("/updates", 303)


def _page(panel: Panel, principal: Principal, asked: Narrowing, problem: Problem | None = None) -> Response:
    store = panel.appliance.store
    shown = portion(subjects_of(panel.appliance), asked, PAGE_SUBJECTS)
    answers = {one.subject: one for one in store.pending.some(shown.names)}
    hosts = {host.subject: host for host in store.hosts.list()}
    owners = store.schedules.subjects()
    planned = portion(
        [name for name, subject in owners.items() if asked.q.strip().casefold() in f"{name} {subject}".casefold()],
        Narrowing(page=asked.page),
        PAGE_SCHEDULES,
    )
    schedules = [(one, one.window.next(panel.clock())) for one in store.schedules.some(planned.names)]
    return panel.pages.page(
        "updates.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/updates",
        problem=problem,
        rows=[(subject, hosts.get(subject), answers.get(subject)) for subject in shown.names],
        portion=shown,
        planned=planned,
        schedules=schedules,
        pauses=PAUSES,
        paused=store.schedules.all_paused(panel.clock()),
    )
