"""The users, their roles and passwords, and which CRMs each may operate, for administrators."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.errors import Conflict, InvalidRequest
from appliance.web import accounts, grants
from appliance.web.access import Principal, Role
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn

HERE = "/users"

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show everybody."""
    return _page(panel, principal, {})


@router.post("/add")
def add(panel: PanelDependency, form: Form) -> Response:
    """Add one, and show the one-time password."""
    form.principal.demand(grants.RIGHT)
    form = confirmed(panel, form, what=doing("add a user"), back=HERE)
    name = form.text("name")
    try:
        password = accounts.add_user(panel, form.principal, name, form.text("role"))
    except (InvalidRequest, Conflict) as error:
        return _page(panel, form.principal, form.fields, problem=problem_of(error))
    return _page(panel, form.principal, {}, password=password, of=name)


@router.post("/{name}/role")
def change_role(panel: PanelDependency, form: Form, name: str) -> Response:
    """Give another role."""
    form.principal.demand(grants.RIGHT)
    form = confirmed(panel, form, what=doing("change the role of %(name)s", name=name[:64]), back=HERE)
    accounts.change_role(panel, form.principal, name, form.text("role"))
    return RedirectResponse(HERE, 303)


@router.post("/{name}/password")
def replace_password(panel: PanelDependency, form: Form, name: str) -> Response:
    """Make a new one-time password, and show it."""
    form.principal.demand(grants.RIGHT)
    form = confirmed(panel, form, what=doing("make a new password of %(name)s", name=name[:64]), back=HERE)
    return _page(panel, form.principal, {}, password=accounts.replace_password(panel, form.principal, name), of=name)


@router.post("/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Let one in no more."""
    form.principal.demand(grants.RIGHT)
    form = confirmed(panel, form, what=doing("remove the user %(name)s", name=name[:64]), back=HERE)
    accounts.remove_user(panel, form.principal, name)
    return RedirectResponse(HERE, 303)


@router.post("/{name}/grant")
def grant(panel: PanelDependency, form: Form, name: str) -> Response:
    """Let a user operate a CRM."""
    form.principal.demand(grants.RIGHT)
    form = confirmed(panel, form, what=doing("let %(name)s operate a CRM", name=name[:64]), back=HERE)
    grants.grant(panel, form.principal, name, form.text("crm"))
    return RedirectResponse(HERE, 303)


@router.post("/{name}/revoke")
def revoke(panel: PanelDependency, form: Form, name: str) -> Response:
    """Let a user operate a CRM no longer."""
    grants.end(panel, form.principal, name, form.text("crm"))
    return RedirectResponse(HERE, 303)


def _page(
    panel: Panel, principal: Principal, values: Mapping[str, str], *, password: str = "", of: str = "", problem: Problem | None = None
) -> Response:
    principal.demand(grants.RIGHT)
    return panel.pages.page(
        "users.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/settings",
        people=grants.people(panel, principal),
        crms=panel.appliance.store.instances.names(),
        roles=list(Role),
        values=values,
        password=password,
        of=of,
        problem=problem,
    )
