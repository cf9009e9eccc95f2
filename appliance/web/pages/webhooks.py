"""Where programs are told what happens, and how that went."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.event import TYPES
from appliance.domain.webhook import DeliveryStatus
from appliance.errors import InvalidRequest
from appliance.operations.webhooks import signed_with_old_until
from appliance.web import webhooks
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.languages import gettext
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn

SHOWN_MESSAGES = 20

router = APIRouter(prefix="/webhooks", include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """The webhooks with their newest messages."""
    return _page(panel, principal)


@router.get("/add")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask where to, and of what."""
    return _form(panel, principal, {f"event:{kind}": "yes" for kind in TYPES})


@router.post("/add")
def add(panel: PanelDependency, form: Form) -> Response:
    """Add one, and show its secret this once."""
    form.principal.demand(webhooks.RIGHT)
    try:
        made, secret = webhooks.add(panel, form.principal, name=form.text("name"), url=form.text("url"), events=form.ticked("event"))
    except InvalidRequest as error:
        return _form(panel, form.principal, form.fields, problem_of(error))
    return _page(panel, form.principal, secret=secret, of=made.name)


@router.post("/{name}/test")
def test(panel: PanelDependency, form: Form, name: str) -> Response:
    """Send a test, and say how it went."""
    sent = webhooks.test(panel, form.principal, name)
    if sent.status is DeliveryStatus.DELIVERED:
        return _page(panel, form.principal, done=gettext("The test of %(name)s arrived.", name=name))
    failed = gettext("The test of %(name)s did not arrive: %(reason)s. It is tried again.", name=name, reason=sent.note)
    return _page(panel, form.principal, done=failed)


@router.post("/{name}/secret")
def renew(panel: PanelDependency, form: Form, name: str) -> Response:
    """Sign with a new secret, too, and show it this once."""
    form.principal.demand(webhooks.RIGHT)
    form = confirmed(panel, form, what=doing("replace a secret of %(name)s", name=name[:64]), back="/webhooks")
    return _page(panel, form.principal, secret=webhooks.renew(panel, form.principal, name, at_once=bool(form.text("at_once"))), of=name)


@router.post("/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Tell it no longer."""
    webhooks.remove(panel, form.principal, name)
    return RedirectResponse("/webhooks", 303)


def _page(panel: Panel, principal: Principal, *, secret: str = "", of: str = "", done: str = "") -> Response:
    found = webhooks.seen_by(panel, principal)
    messages = {one.name: panel.appliance.store.webhooks.deliveries(one.name, limit=SHOWN_MESSAGES) for one in found}
    until = {one.name: signed_with_old_until(panel.appliance, one.name, panel.clock()) for one in found}
    return panel.pages.page(
        "webhooks.html",
        principal=principal,
        section="/alerts",
        webhooks=found,
        messages=messages,
        until=until,
        secret=secret,
        of=of,
        done=done,
    )


def _form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    principal.demand(webhooks.RIGHT)
    return panel.pages.page(
        "webhook_add.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/alerts",
        values=values,
        types=TYPES,
        problem=problem,
    )
