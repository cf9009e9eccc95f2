"""Add a host in two steps: where it is, then whether the key that it shows is its own. A private key is asked for in the second alone."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.errors import ApplianceError, Conflict, InvalidRequest, PreflightFailed, StepFailed
from appliance.hosts.host_keys import fingerprint
from appliance.operations.hosts import own_public_key
from appliance.web import hosting
from appliance.web.access import Principal
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn, Submission

WHERE = ("name", "address", "port", "user")
REFUSALS = (InvalidRequest, Conflict, PreflightFailed, StepFailed)
LARGEST_PORT_DIGITS = 5

router = APIRouter(prefix="/add-host", include_in_schema=False)


@router.get("")
def show_where(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask where the machine is."""
    return _where_form(panel, principal, {"port": "22", "user": "root"})


@router.post("")
def ask_for_key(panel: PanelDependency, form: Form) -> Response:
    """Show the key that answers there."""
    try:
        host_key = hosting.show_key(form.principal, **_names(form), port=_port(form))
    except REFUSALS as error:
        return _where_form(panel, form.principal, form.fields, problem_of(error))
    return _confirmation(panel, form.principal, {**form.fields, "fingerprint": fingerprint(host_key)})


@router.post("/confirm")
def add(panel: PanelDependency, form: Form) -> Response:
    """Add it, now that its key was compared."""
    private_key = form.text("key") or None
    try:
        host = hosting.add(
            panel, form.principal, **_names(form), port=_port(form), expected=form.text("fingerprint"), private_key=private_key
        )
    except REFUSALS as error:
        return _show_refused(panel, form, error)
    return RedirectResponse(f"/hosts/{host.name}", 303)


def _show_refused(panel: Panel, form: Submission, error: ApplianceError) -> Response:
    """What was typed in the first step is mended there."""
    problem = problem_of(error)
    show = _where_form if problem.field in WHERE or isinstance(error, Conflict) else _confirmation
    return show(panel, form.principal, form.fields, problem)


def _names(form: Submission) -> dict[str, str]:
    return {name: form.text(name) for name in ("name", "address", "user")}


def _port(form: Submission) -> int:
    """What is no number is no port either, and told as such."""
    text = form.text("port")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LARGEST_PORT_DIGITS else 0


def _where_form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    return _page(panel, principal, "host_add.html", values, problem)


def _confirmation(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    return _page(panel, principal, "host_confirm.html", values, problem)


def _page(panel: Panel, principal: Principal, template: str, values: Mapping[str, str], problem: Problem | None) -> Response:
    """The private key is never shown again."""
    principal.demand("host-add")
    return panel.pages.page(
        template,
        status=problem.status if problem else 200,
        principal=principal,
        section="/hosts",
        problem=problem,
        values={name: values.get(name, "") for name in (*WHERE, "fingerprint")},
        public_key=own_public_key(panel.appliance),
    )
