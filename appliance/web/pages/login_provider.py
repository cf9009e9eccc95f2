"""The provider that people log in by, for administrators."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.domain.login_provider import LoginProvider, read_roles
from appliance.errors import InvalidRequest
from appliance.operations.login_provider import set_provider
from appliance.web import login_provider
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn, Submission

HERE = "/login-provider"

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show which one there is, and ask for another."""
    principal.demand(login_provider.RIGHT)
    provider = panel.appliance.store.login_providers.find()
    return _page(panel, principal, _values(provider) if provider else {"name": "Single sign-on", "default_role": "viewer"})


@router.post("")
def save(panel: PanelDependency, form: Form) -> Response:
    """Have people log in by it."""
    form.principal.demand(login_provider.RIGHT)
    form = confirmed(panel, form, what=doing("set who else may let people in"), back=HERE)
    try:
        provider = _provider(form)
        set_provider(panel.appliance, provider, secret=form.text("secret"), by=form.principal.name, now=panel.clock())
    except InvalidRequest as error:
        return _page(panel, form.principal, {**form.fields, "secret": ""}, problem_of(error))
    return RedirectResponse(HERE, 303)


@router.post("/remove")
def remove(panel: PanelDependency, form: Form) -> Response:
    """Have nobody log in by it any more."""
    form.principal.demand(login_provider.RIGHT)
    form = confirmed(panel, form, what=doing("remove the login provider"), back=HERE)
    panel.appliance.store.login_providers.remove(by=form.principal.name, now=panel.clock())
    return RedirectResponse(HERE, 303)


def _provider(form: Submission) -> LoginProvider:
    return LoginProvider(
        name=form.text("name"),
        issuer=form.text("issuer"),
        client_id=form.text("client_id"),
        role_claim=form.text("role_claim"),
        roles=read_roles([line.strip() for line in form.text("roles").splitlines() if line.strip()]),
        default_role=form.text("default_role"),
        domains=tuple(form.text("domains").replace(",", " ").split()),
        makes_users=bool(form.text("makes_users")),
    )


def _values(provider: LoginProvider) -> dict[str, str]:
    """As the form has them."""
    return {
        **{name: getattr(provider, name) for name in ("name", "issuer", "client_id", "role_claim", "default_role")},
        "roles": "\n".join(f"{value}={role}" for value, role in provider.roles.items()),
        "domains": " ".join(provider.domains),
        "makes_users": "yes" if provider.makes_users else "",
    }


def _page(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    providers = panel.appliance.store.login_providers
    return panel.pages.page(
        "login_provider.html",
        status=problem.status if problem else 200,
        principal=principal,
        section=HERE,
        provider=providers.find(),
        identities=providers.identities(),
        callback=login_provider.callback_of(panel),
        values=values,
        problem=problem,
    )
