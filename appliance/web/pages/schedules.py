"""What is done to CRMs and hosts by itself, and when: a calendar; a schedule is added, or forgotten."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.calendar import DAYS
from appliance.domain.host import FLEET
from appliance.domain.retention import read_numbers
from appliance.domain.schedule import Schedule, ScheduleRequest, Work
from appliance.domain.window import CatchUp
from appliance.domain.window_request import WindowRequest
from appliance.errors import ApplianceError, InvalidRequest
from appliance.operations.calendars import calendar_of
from appliance.operations.kinds.fleet_patch import fleet
from appliance.operations.kinds.host_patch import What
from appliance.operations.pending import subjects_of
from appliance.operations.schedules import add_schedule
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.patching import patch_parameters
from appliance.web.portions import Narrowing, NarrowingDependency, portion
from appliance.web.sessions import Form, LoggedIn, Submission

router = APIRouter(prefix="/schedules", include_in_schema=False)

PAGE_SCHEDULES = 20
USUAL = {
    "days": "SUN",
    "begin": "02:00",
    "minutes": "180",
    "time_zone": "UTC",
    "stop_after": "2",
    "what": What.SECURITY.value,
    "keep": "daily=7 weekly=4 monthly=12",
}


@router.get("")
def show_calendar(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency) -> Response:
    """Show what is done by itself in the next days, of some schedules at a time: those of a CRM or host together."""
    store, now = panel.appliance.store, panel.clock()
    owners = store.schedules.subjects()
    names = sorted(owners, key=lambda name: (owners[name], name))
    wanted = asked.q.strip().casefold()
    shown = portion([one for one in names if wanted in f"{one} {owners[one]}".casefold()], Narrowing(page=asked.page), PAGE_SCHEDULES)
    schedules = store.schedules.some(shown.names)
    runs = calendar_of(panel.appliance, schedules, now)
    return panel.pages.page(
        "calendar.html",
        principal=principal,
        section="/updates",
        portion=replace(shown, q=asked.q, there=len(owners)),
        days=[(date, list(ones)) for date, ones in groupby(sorted(runs, key=lambda run: (run.date, run.begins)), key=lambda run: run.date)],
        paused=[one for one in schedules if one.paused],
        pause=store.schedules.all_paused(now),
        count=DAYS,
    )


@router.get("/add")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask what is to be done, and when."""
    principal.demand("schedule")
    return _form(panel, principal, USUAL)


@router.post("/add")
def add(panel: PanelDependency, form: Form) -> Response:
    """Do it in every window from now on; or show the form again with what is wrong in it."""
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
    window = WindowRequest(
        days=form.text("days"),
        begin=form.text("begin"),
        minutes=form.number("minutes"),
        time_zone=form.text("time_zone"),
        blackouts=form.text("blackouts").replace(",", " ").split(),
        every=form.number("every") if form.text("every") else 0,
        jitter=form.number("jitter") if form.text("jitter") else 0,
    )
    work = _work(form)
    asked = ScheduleRequest(
        name=form.text("name"),
        subject=form.text("subject"),
        window=window,
        work=work,
        parameters=_parameters(form, work),
        catch_up=CatchUp.SOON if form.text("catch_up") else CatchUp.NEXT_WINDOW,
        stop_after=form.number("stop_after"),
    )
    return add_schedule(panel.appliance, asked, requested_by=form.principal.name, now=panel.clock())


def _parameters(form: Submission, work: Work) -> dict[str, Any]:
    if work is Work.PATCH:
        return patch_parameters(form, form.text("subject"))
    if work is Work.BACKUP:
        keep = read_numbers(form.text("keep").split())
        return {"keep": keep} if keep else {}
    return {name: form.text(name) for name in ("way", "repository") if work is Work.DRILL and form.text(name)}


def _work(form: Submission) -> Work:
    try:
        return Work(form.text("work") or Work.PATCH)
    except ValueError:
        raise InvalidRequest(f"Choose what is done: {', '.join(Work)}. Nothing was changed.", field="work") from None


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
        fleet=FLEET,
        members=fleet(panel.appliance),
        repositories=panel.appliance.store.repositories.list(),
    )
