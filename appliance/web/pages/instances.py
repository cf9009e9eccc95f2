"""The CRMs, and one of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.closure import USUAL
from appliance.domain.objectives import read_objectives
from appliance.errors import InvalidRequest
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.offers import find_product, offered_product, setting_fields, typed_values, upgrade_offers
from appliance.web.panel import Panel, PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.requesting import send, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission
from appliance.web.summaries import summarize, summarize_some

PAGE_ROWS = 50
POINTS_SHOWN = 5
OPERATIONS_SHOWN = 8

router = APIRouter(prefix="/instances", include_in_schema=False)


@router.get("")
def list_instances(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency) -> Response:
    """Show the CRMs, a page at a time."""
    shown = portion(panel.appliance.store.instances.names(), asked, PAGE_ROWS)
    summaries = summarize_some(panel.appliance, shown.names, panel.clock())
    return panel.pages.page("instances.html", principal=principal, section="/instances", summaries=summaries, portion=shown)


@router.get("/{name}")
def show_instance(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show one CRM."""
    return instance_page(panel, principal, name)


@router.post("/{name}/backup")
def back_up(panel: PanelDependency, form: Form, name: str) -> Response:
    """Take a backup."""
    return _request(panel, form, name, "backup", {})


@router.post("/{name}/archive")
def archive(panel: PanelDependency, form: Form, name: str) -> Response:
    """Keep every change, or no longer."""
    return _request(panel, form, name, "archive", {"wanted": form.text("wanted") == "yes"})


@router.post("/{name}/maintenance")
def maintain(panel: PanelDependency, form: Form, name: str) -> Response:
    """Turn its users away with a message, or let them in again."""
    return _request(panel, form, name, "maintenance", {"wanted": form.text("wanted") == "yes", "message": form.text("message")})


@router.post("/{name}/drill")
def drill(panel: PanelDependency, form: Form, name: str) -> Response:
    """Prove a recovery point, the newest unless one is named."""
    return _request(panel, form, name, "drill", {"point": point} if (point := form.text("point")) else {})


@router.post("/{name}/password")
def reveal_password(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show the password that the CRM's first user was made with."""
    form.principal.demand("reveal")
    confirmed(panel, form, what=doing("see the first password of %(name)s", name=name[:64]), back=f"/instances/{name}")
    store = panel.appliance.store
    users = offered_product(panel.appliance.catalogue, store.instances.get(name).product).users
    password = store.vault.get(name, users.admin_secret)
    store.access.audit(actor=form.principal.name, action="reveal password", subject=name, detail={"user": users.admin}, now=panel.clock())
    return panel.pages.page(
        "credentials.html",
        principal=form.principal,
        section="/instances",
        instance=store.instances.get(name),
        user=users.admin,
        password=password,
    )


@router.post("/{name}/approval")
def ask_approval(panel: PanelDependency, form: Form, name: str) -> Response:
    """Say whether a second person has to agree to what changes it."""
    return _switch(panel, form, name, "approval", panel.appliance.store.instances.ask_approval)


@router.post("/{name}/publication")
def publish(panel: PanelDependency, form: Form, name: str) -> Response:
    """Show it on the status page, or no longer."""
    return _switch(panel, form, name, "publish", panel.appliance.store.instances.publish)


@router.post("/{name}/adoption")
def measure_adoption(panel: PanelDependency, form: Form, name: str) -> Response:
    """Measure how much people work with it, or no longer."""
    return _switch(panel, form, name, "adoption", panel.appliance.store.instances.measure_adoption)


@router.post("/{name}/objectives")
def promise(panel: PanelDependency, form: Form, name: str) -> Response:
    """Say what is promised of it."""
    form.principal.demand("objectives")
    try:
        objectives = read_objectives(form.fields)
    except InvalidRequest as error:
        return instance_page(panel, form.principal, name, problem_of(error), typed=form.fields)
    panel.appliance.store.instances.promise(name, objectives, by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}", 303)


def _request(panel: Panel, form: Submission, name: str, kind: str, parameters: Mapping[str, Any]) -> Response:
    """Request an operation, or show the CRM with the refusal."""
    return send_or_show(
        lambda: send(panel, form.principal, kind, name, parameters),
        lambda problem: instance_page(panel, form.principal, name, problem, typed=form.fields),
    )


class _Switch(Protocol):
    def __call__(self, name: str, *, wanted: bool, by: str, now: datetime) -> None: ...


def _switch(panel: Panel, form: Submission, name: str, right: str, switch: _Switch) -> Response:
    """Turn something of it on or off, as the form says, and show it again."""
    form.principal.demand(right)
    switch(name, wanted=form.text("wanted") == "yes", by=form.principal.name, now=panel.clock())
    return RedirectResponse(f"/instances/{name}", 303)


def instance_page(
    panel: Panel, principal: Principal, name: str, problem: Problem | None = None, *, typed: Mapping[str, str] | None = None
) -> Response:
    """Show one CRM, with the refusal of what was asked if there is one, and what was typed. Raises NotFound."""
    store = panel.appliance.store
    instance = store.instances.get(name)
    product = find_product(panel.appliance.catalogue, instance.product)
    return panel.pages.page(
        "instance.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/instances",
        problem=problem,
        typed=typed or {},
        summary=summarize(panel.appliance, instance, panel.clock()),
        product=product.name if product else instance.product,
        points=store.points.list(name, limit=POINTS_SHOWN),
        operations=store.operations.list(instance=name, limit=OPERATIONS_SHOWN),
        usual_message=USUAL,
        settings=setting_fields(product, typed_values(product, instance.settings)) if product else [],
        has_upgrade=bool(upgrade_offers(product, instance)),
    )
