"""When CRMs and hosts are patched by themselves: a schedule is added, or forgotten."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.host import FLEET, host_of_subject
from appliance.domain.schedule import Schedule
from appliance.domain.window import CatchUp, Window, parse_blackout
from appliance.errors import ApplianceError, InvalidRequest
from appliance.operations.kinds.host_patch import What
from appliance.operations.pending import subjects_of
from appliance.operations.schedules import add_schedule
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn, Submission

router = APIRouter(prefix="/schedules", include_in_schema=False)

USUAL = {"days": "SUN", "begin": "02:00", "minutes": "180", "time_zone": "UTC", "stop_after": "2", "what": What.SECURITY.value}


@router.get("/add")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask what is to be patched, and when."""
    principal.demand("schedule")
    return _form(panel, principal, USUAL)


@router.post("/add")
def add(panel: PanelDependency, form: Form) -> Response:
    """Patch it in every window from now on; or show the form again with what is wrong in it."""
    form.principal.demand("schedule")
    try:
        _add(panel, form)
    except ApplianceError as error:
        return _form(panel, form.principal, form.fields, problem_of(error))
    return RedirectResponse("/updates", 303)


@router.post("/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Forget it; what it has done stays in the history."""
    form.principal.demand("schedule")
    panel.appliance.store.schedules.remove(name, by=form.principal.name, now=panel.clock())
    return RedirectResponse("/updates", 303)


def _add(panel: Panel, form: Submission) -> Schedule:
    window = Window(
        days=form.text("days"),
        begin=form.text("begin"),
        length=timedelta(minutes=_number(form, "minutes", "length_minutes")),
        time_zone=form.text("time_zone"),
        blackouts=tuple(parse_blackout(one) for one in form.text("blackouts").replace(",", " ").split()),
    )
    return add_schedule(
        panel.appliance,
        name=form.text("name"),
        subject=form.text("subject"),
        window=window,
        parameters=_parameters(form),
        catch_up=CatchUp.SOON if form.text("catch_up") else CatchUp.NEXT_WINDOW,
        stop_after=_number(form, "stop_after", "stop_after"),
        requested_by=form.principal.name,
        now=panel.clock(),
    )


def _parameters(form: Submission) -> dict[str, Any]:
    subject = form.text("subject")
    of_hosts = subject == FLEET or host_of_subject(subject) is not None
    return {"what": form.text("what"), "reboot": bool(form.text("reboot"))} if of_hosts else {}


def _number(form: Submission, name: str, field: str) -> int:
    text = form.text(name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(2**31))):
        raise InvalidRequest(f"{text[:20]!r} is not a number. Nothing was changed.", field=field)
    return int(text)


def _form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    local = {host.subject for host in panel.appliance.store.hosts.list() if host.is_local}
    return panel.pages.page(
        "schedule_add.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/updates",
        problem=problem,
        values=values,
        subjects=[*(one for one in subjects_of(panel.appliance) if one not in local), FLEET],
    )
