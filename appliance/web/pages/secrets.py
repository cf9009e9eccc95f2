"""The secrets that the appliance keeps: by whom, by name, since when, and how some of them are replaced. None is ever shown."""

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.errors import InvalidRequest, NotFound
from appliance.operations.channels import URL
from appliance.operations.kept_secrets import KINDS, Owner
from appliance.store.login_providers import SECRET
from appliance.web import secrets
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.portions import NarrowingDependency, portion
from appliance.web.sessions import Form, LoggedIn, Submission
from backup.locations import CREDENTIALS, kind_of

SHOWN = 40
ASKED = {
    "repository": (*sorted(CREDENTIALS), "ssh_key", "known_hosts", "authority"),
    "channel": (URL,),
    "login-provider": (SECRET,),
}
"""The fields of the form, by kind."""
OF_LINES = ("ssh_key", "known_hosts", "authority")

router = APIRouter(prefix="/secrets", include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn, asked: NarrowingDependency, done: str = "") -> Response:
    """Show what is kept, a page of owners at a time."""
    all_owners = {one.scope: one for one in secrets.owners_seen_by(panel, principal)}
    shown = portion(list(all_owners), asked, SHOWN)
    kept = secrets.seen_by(panel, principal, [all_owners[scope] for scope in shown.names])
    return panel.pages.page(
        "secrets.html",
        principal=principal,
        section="/secrets",
        kinds=[(KINDS[kind], [one for one in kept if one.owner.kind == kind]) for kind in KINDS],
        portion=shown,
        done=done in all_owners,
    )


@router.get("/{kind}/{name}")
def show_form(panel: PanelDependency, principal: LoggedIn, kind: str, name: str) -> Response:
    """Ask what it is to be from now on."""
    return _form(panel, principal, kind, name)


@router.post("/{kind}/{name}")
def replace(panel: PanelDependency, form: Form, kind: str, name: str) -> Response:
    """Replace it, once it is known who asks."""
    form.principal.demand(secrets.RIGHT)
    what = doing("replace a secret of %(name)s", name=name[:64])
    form = confirmed(panel, form, what=what, back=f"/secrets/{kind[:64]}/{name[:64]}")
    owner = _owner(panel, form.principal, kind, name)
    try:
        secrets.replace(panel, form.principal, kind, owner.name, _values(form, kind))
    except InvalidRequest as error:
        return _form(panel, form.principal, kind, name, problem_of(error))
    return RedirectResponse(f"/secrets?done={owner.scope}", 303)


def _values(form: Submission, kind: str) -> dict[str, str]:
    """Keys and certificates end with the end of a line, as programs expect of their files."""
    given = {name: form.text(name) for name in ASKED.get(kind, ()) if form.text(name)}
    return {name: f"{value}\n" if name in OF_LINES else value for name, value in given.items()}


def _owner(panel: Panel, principal: Principal, kind: str, name: str) -> Owner:
    """Whose secrets are to be replaced; where there is one only, its name is its kind. Raises Forbidden, NotFound."""
    for owner in secrets.owners_seen_by(panel, principal):
        if owner.kind == kind and (owner.name or kind) == name:
            (kept,) = secrets.seen_by(panel, principal, [owner])
            if kept.can_replace:
                return owner
    raise NotFound("There is no secret here that you could replace. Nothing was changed.")


def _form(panel: Panel, principal: Principal, kind: str, name: str, problem: Problem | None = None) -> Response:
    """What is secret is never shown again, not even what was typed just now."""
    owner = _owner(panel, principal, kind, name)
    place = panel.appliance.store.repositories.get(owner.name).location if kind == "repository" else ""
    return panel.pages.page(
        "secret_replace.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/secrets",
        owner=owner,
        kind=KINDS[kind],
        name=name,
        place=place,
        place_kind=kind_of(place) if place else "",
        asked=ASKED[kind],
        values={},
        problem=problem,
    )
