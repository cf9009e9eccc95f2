"""Recovery points: what can be gone back to, and whether it was ever proven; those of removed CRMs too."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.errors import NotFound
from appliance.store import Store
from appliance.web.access import Principal
from appliance.web.errors import Problem
from appliance.web.kept import kept_of, shipped_until
from appliance.web.languages import gettext
from appliance.web.pages.changes import places
from appliance.web.panel import Panel, PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn

PAGE_CRMS, MOST_POINTS = 5, 10

router = APIRouter(prefix="/backups", include_in_schema=False)


@router.get("")
def list_backups(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency, instance: str = "") -> Response:
    """Show the recovery points of the CRMs, some CRMs at a time, or of one; then those of CRMs that are gone."""
    store = panel.appliance.store
    shipped = shipped_until(panel.appliance.settings)
    there = store.instances.names(lost=False)
    serving = set(there)
    names = [*there, *(name for name in store.points.instances() if name not in serving and is_gone(store, name))]
    shown = portion([instance] if instance in names else names, asked, PAGE_CRMS)
    groups = [
        kept_of(store, one.name, panel.clock(), shipped_until=shipped.get(one.name) if one.archive else None)
        for one in store.instances.some(shown.names)
        if not one.is_lost
    ]
    removed = [(name, store.points.list(name)) for name in shown.names if name not in {one.name for one in groups}]
    return panel.pages.page(
        "backups.html",
        principal=principal,
        section="/backups",
        groups=groups,
        removed=removed,
        portion=shown,
        most=MOST_POINTS if not instance else None,
        repositories=store.repositories.list(),
        names=names,
        chosen=instance if instance in names else "",
    )


def is_gone(store: Store, name: str) -> bool:
    """Whether a CRM was removed, or lost with its host."""
    instance = store.instances.find(name)
    return instance is None or instance.is_lost


@router.get("/{name}/restore")
def show_restore(panel: PanelDependency, principal: LoggedIn, name: str, point: str = "") -> Response:
    """Show how a removed CRM is brought back; one that is there has a page of its own for that."""
    if not is_gone(panel.appliance.store, name):
        principal.demand("restore-beside")
        return RedirectResponse(f"/instances/{name}/restore", 303)
    return _form(panel, principal, name, {"point": point})


@router.post("/{name}/restore")
def restore(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it."""
    wanted = {"source": name, "point": form.text("point"), **form.filled("repository", "host")}
    return send_or_show(
        lambda: send(panel, form.principal, "restore-beside", form.text("new_name"), wanted),
        lambda problem: _form(panel, form.principal, name, form.fields, problem),
    )


def _form(panel: Panel, principal: Principal, name: str, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    principal.demand("restore-beside")
    points = panel.appliance.store.points.list(name)
    if not points:
        raise NotFound(gettext("Nothing is kept of a CRM named %(name)s.", name=repr(name)))
    return panel.pages.page(
        "bring_back.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        name=name,
        is_lost=panel.appliance.store.instances.find(name) is not None,
        points=points,
        chosen=values.get("point") or points[0].id,
        new_name=values.get("new_name", name),
        problem=problem,
        **places(panel, values),
    )
