"""What alerts, by which rules, and who is notified."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.channel import Purpose, Severity
from appliance.errors import InvalidRequest
from appliance.operations.alerting import read_alerts
from appliance.operations.sending import NotSent
from appliance.web import alerts
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.languages import gettext
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn
from monitoring.rules.table import RULES

SHOWN_AGAIN = ("name", "purpose", "quiet", "zone", "crm", "weekly", *Severity)

router = APIRouter(prefix="/alerts", include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """What fires, the channels, what changed of late, and the rules."""
    return _page(panel, principal)


@router.get("/add-channel")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask where to, and of what."""
    return _form(panel, principal, dict.fromkeys(Severity, "yes"))


@router.post("/add-channel")
def add(panel: PanelDependency, form: Form) -> Response:
    """Add a channel."""
    form.principal.demand("notification-add")
    try:
        alerts.add(
            panel,
            form.principal,
            name=form.text("name"),
            url=form.text("url"),
            purpose=Purpose.HEARTBEAT if form.text("purpose") == Purpose.HEARTBEAT else Purpose.ALERTS,
            severities=[severity for severity in Severity if form.text(severity)],
            crms=[form.text("crm")] if form.text("crm") else [],
            quiet=form.text("quiet"),
            zone=form.text("zone") or "UTC",
            weekly=bool(form.text("weekly")),
        )
    except InvalidRequest as error:
        return _form(panel, form.principal, form.fields, problem_of(error))
    return RedirectResponse("/alerts", 303)


@router.post("/channels/{name}/test")
def test(panel: PanelDependency, form: Form, name: str) -> Response:
    """Send a test, and say how it went."""
    try:
        alerts.test(panel, form.principal, name)
    except NotSent as error:
        return _page(panel, form.principal, problem=problem_of(error))
    return _page(panel, form.principal, done=gettext("A test was sent by %(name)s.", name=name))


@router.post("/channels/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Notify there no longer."""
    alerts.remove(panel, form.principal, name)
    return RedirectResponse("/alerts", 303)


def _page(panel: Panel, principal: Principal, *, problem: Problem | None = None, done: str = "") -> Response:
    book = read_alerts(panel.appliance)
    return panel.pages.page(
        "alerts.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/alerts",
        book=book,
        stale=book.is_stale(panel.clock()),
        channels=panel.appliance.store.channels.list(),
        rules=RULES,
        problem=problem,
        done=done,
    )


def _form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    """The address is a secret, and never shown again."""
    principal.demand("notification-add")
    return panel.pages.page(
        "channel_add.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/alerts",
        values={name: values.get(name, "") for name in SHOWN_AGAIN},
        names=panel.appliance.store.instances.names(),
        problem=problem,
    )
