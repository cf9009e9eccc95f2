"""The machines that CRMs run on, one of them, and what can be asked of it."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.host import HostPolicy
from appliance.errors import ApplianceError, Conflict, HostRefused, HostUnreachable, InvalidRequest, PreflightFailed
from appliance.hosts.host_keys import fingerprint
from appliance.web import hosting
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.machines import summarize_host, summarize_hosts
from appliance.web.panel import Panel, PanelDependency
from appliance.web.requesting import check_typed_name, send_or_show
from appliance.web.sessions import Form, LoggedIn, Submission
from appliance.web.stacks import stack_of

OPERATIONS_SHOWN = 8
POLICY = tuple(vars(HostPolicy()))

router = APIRouter(prefix="/hosts", include_in_schema=False)


@router.get("")
def list_hosts(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all hosts."""
    return panel.pages.page("hosts.html", principal=principal, section="/hosts", summaries=summarize_hosts(panel.appliance.store))


@router.get("/{name}")
def show_host(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show one host."""
    return host_page(panel, principal, name)


@router.post("/{name}/prepare")
def prepare(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request that it is brought to what CRMs need, and kept as the form says."""
    return send_or_show(
        lambda: hosting.prepare(panel, form.principal, name, _policy(panel, form, name)),
        lambda problem: host_page(panel, form.principal, name, problem),
    )


@router.post("/{name}/stack")
def request_stack(panel: PanelDependency, form: Form, name: str) -> Response:
    """Request that its monitoring stack is installed, brought up to date, or removed; what was measured stays."""
    wanted = form.text("action") != "remove"
    parameters = {"wanted": True, "dead_man": form.text("dead_man")} if wanted else {"wanted": False}
    return send_or_show(
        lambda: hosting.request_stack(panel, form.principal, name, parameters),
        lambda problem: host_page(panel, form.principal, name, problem),
    )


def _policy(panel: Panel, form: Submission, name: str) -> dict[str, bool]:
    """A box that is not ticked is not sent; this machine has no boxes."""
    is_local = panel.appliance.store.hosts.get(name).is_local
    return {} if is_local else {part: bool(form.text(part)) for part in POLICY}


def host_page(panel: Panel, principal: Principal, name: str, problem: Problem | None = None) -> Response:
    """Show one host, with the refusal of what was asked if there is one. Raises NotFound."""
    summary = summarize_host(panel.appliance.store, name)
    return panel.pages.page(
        "host.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/hosts",
        problem=problem,
        summary=summary,
        stack=stack_of(panel.appliance, name),
        operations=panel.appliance.store.operations.list(instance=summary.host.subject, limit=OPERATIONS_SHOWN),
    )


@router.get("/{name}/trust")
def show_trust(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show the key that the host shows now beside the one it is known by."""
    try:
        host_key = hosting.show_key_again(panel, principal, name)
    except HostUnreachable as error:
        return _trust_form(panel, principal, name, "", problem_of(error))
    return _trust_form(panel, principal, name, fingerprint(host_key))


@router.post("/{name}/trust")
def trust(panel: PanelDependency, form: Form, name: str) -> Response:
    """Know it by the key that was compared."""
    try:
        hosting.trust(panel, form.principal, name, form.text("fingerprint"))
    except (HostRefused, HostUnreachable) as error:
        return _trust_form(panel, form.principal, name, "", problem_of(error))
    return RedirectResponse(f"/hosts/{name}", 303)


def _trust_form(panel: Panel, principal: Principal, name: str, shown: str, problem: Problem | None = None) -> Response:
    return panel.pages.page(
        "host_trust.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/hosts",
        problem=problem,
        summary=summarize_host(panel.appliance.store, name),
        shown=shown,
    )


@router.get("/{name}/remove")
def show_remove(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Show what it means to forget a host."""
    principal.demand("host-remove")
    return _remove_form(panel, principal, name, None)


@router.post("/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Forget it."""
    form.principal.demand("host-remove")
    form = confirmed(panel, form, what=doing("remove the host %(name)s", name=name[:64]), back=f"/hosts/{name}")
    try:
        check_typed_name(form.text("confirmation"), name)
        hosting.remove(panel, form.principal, name)
    except (InvalidRequest, Conflict, PreflightFailed) as error:
        return _remove_form(panel, form.principal, name, error)
    return RedirectResponse("/hosts", 303)


def _remove_form(panel: Panel, principal: Principal, name: str, error: ApplianceError | None) -> Response:
    problem = problem_of(error) if error else None
    return panel.pages.page(
        "host_remove.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/hosts",
        problem=problem,
        summary=summarize_host(panel.appliance.store, name),
    )
