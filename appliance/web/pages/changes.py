"""The forms that change a CRM: upgrade, roll back, restore, remove. Each says its consequences first."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import Operation
from appliance.errors import Conflict, HostRefused, HostUnreachable, InvalidRequest, PreflightFailed
from appliance.operations.browsing import Wanted
from appliance.operations.foreseeing import Loss
from appliance.web import downloads
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.hosting import prepared_hosts
from appliance.web.offers import find_product, upgrade_offers
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import check_typed_name, send, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission

router = APIRouter(prefix="/instances/{name}", include_in_schema=False)


@router.get("/upgrade")
def show_upgrade(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show the releases that this CRM can go to."""
    return _upgrade_form(panel, principal, name)


@router.post("/upgrade")
def upgrade(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it, or its rehearsal alone."""
    kind, wanted = _upgrade_wanted(form)
    return send_or_show(
        lambda: send(panel, form.principal, kind, name, wanted),
        lambda problem: _upgrade_form(panel, form.principal, name, problem, chosen=form.text("release")),
    )


def _upgrade_wanted(form: Submission) -> tuple[str, dict[str, Any]]:
    release = {"to": form.text("release")}
    if form.text("only") == "rehearse":
        return "rehearse", release
    return "upgrade", {**release, "rehearsal": form.text("unrehearsed") != "yes"}


def _upgrade_form(panel: Panel, principal: Principal, name: str, problem: Problem | None = None, chosen: str = "") -> Response:
    principal.demand("upgrade", name)
    instance = panel.appliance.store.instances.get(name)
    offers = upgrade_offers(find_product(panel.appliance.catalogue, instance.product), instance)
    best = offers[0].version if offers else ""
    return _form(panel, principal, "upgrade", name, problem, offers=offers, chosen=chosen or best)


@router.get("/rollback")
def show_rollback(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show what rolling back means."""
    return _form(panel, principal, "rollback", name, None)


@router.post("/rollback")
def roll_back(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it."""
    return _confirmed(panel, form, "rollback", name, {})


@router.get("/remove")
def show_remove(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show what removing means."""
    return _form(panel, principal, "remove", name, None)


@router.post("/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it."""
    form.principal.demand("remove")
    form = confirmed(panel, form, what=doing("remove %(name)s", name=name[:64]), back=f"/instances/{name}")
    return _confirmed(panel, form, "remove", name, {"purge": bool(form.text("purge"))})


def _confirmed(panel: Panel, form: Submission, kind: str, name: str, parameters: dict[str, Any]) -> Response:
    def requesting() -> Operation:
        form.principal.demand(kind, name)
        check_typed_name(form.text("confirmation"), name)
        return send(panel, form.principal, kind, name, parameters)

    return send_or_show(requesting, lambda problem: _form(panel, form.principal, kind, name, problem))


@router.get("/restore")
def show_restore(panel: PanelDependency, principal: LoggedIn, name: str, point: str = "") -> Response:
    """Show the points and the two ways to restore."""
    return _restore_form(panel, principal, name, {"point": point})


@router.post("/restore")
def restore(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request it."""
    if form.text("way") != "beside":
        form.principal.demand("restore", name)
        form = confirmed(panel, form, what=doing("restore %(name)s in place", name=name[:64]), back=f"/instances/{name}")
    return send_or_show(
        lambda: _send_restore(panel, form, name), lambda problem: _restore_form(panel, form.principal, name, dict(form.fields), problem)
    )


@router.post("/restore/loss")
def foresee(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show, above the form, what a restore in place would leave behind."""
    form.principal.demand("restore", name)
    wanted = Wanted(instance=name, point=form.text("point") or None, repository=form.text("repository") or None)
    try:
        loss = downloads.foresee(panel, form.principal, wanted)
    except (InvalidRequest, Conflict, PreflightFailed, HostUnreachable, HostRefused) as error:
        return _restore_form(panel, form.principal, name, dict(form.fields), problem_of(error))
    return _restore_form(panel, form.principal, name, {**form.fields, "way": "in_place"}, loss=loss)


def _send_restore(panel: Panel, form: Submission, name: str) -> Operation:
    wanted = _moment(form) | form.filled("repository")
    if form.text("way") == "beside":
        return send(panel, form.principal, "restore-beside", form.text("new_name"), {"source": name, **wanted, **form.filled("host")})
    form.principal.demand("restore", name)
    check_typed_name(form.text("confirmation"), name)
    unsaved = {"safety_backup": False} if form.text("unsaved") else {}
    return send(panel, form.principal, "restore", name, wanted | form.filled("only") | unsaved)


def _moment(form: Submission) -> dict[str, str]:
    if form.text("latest"):
        return {"at": "latest"}
    return {"at": f"{at}Z"} if (at := form.text("at")) else {"point": form.text("point")}


def _restore_form(
    panel: Panel, principal: Principal, name: str, values: dict[str, str], problem: Problem | None = None, *, loss: Loss | None = None
) -> Response:
    points: list[RecoveryPoint] = panel.appliance.store.points.list(name)
    return _form(
        panel,
        principal,
        "restore",
        name,
        problem,
        points=points,
        loss=loss,
        chosen=values.get("point") or (points[0].id if points else ""),
        at=values.get("at", ""),
        way=values.get("way", "beside"),
        only=values.get("only", ""),
        new_name=values.get("new_name", f"{name}-copy"),
        **places(panel, values),
    )


def places(panel: Panel, values: Mapping[str, str]) -> dict[str, Any]:
    """What a form that restores lets choose: the repositories elsewhere and the hosts; and what was chosen, or typed."""
    store = panel.appliance.store
    return {
        "repositories": [one.name for one in store.repositories.list()],
        "hosts": [one.name for one in prepared_hosts(panel.appliance)],
        "values": dict(values),
    }


def _form(panel: Panel, principal: Principal, kind: str, name: str, problem: Problem | None, **context: Any) -> Response:
    principal.demand(kind, name)
    instance = panel.appliance.store.instances.get(name)
    status = problem.status if problem else 200
    return panel.pages.page(
        f"{kind}.html", status=status, principal=principal, section="/instances", instance=instance, problem=problem, **context
    )
