"""The second places for recovery points, and the recovery kit that opens them."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from appliance.domain.retention import read_numbers
from appliance.errors import Conflict, InvalidRequest
from appliance.web import repositories
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn, Submission
from backup.locations import CREDENTIALS, kind_of

PLAIN, SECRET = ("name", "location"), (*sorted(CREDENTIALS), "ssh_key", "known_hosts", "authority", "password")
USUALLY_KEPT = {"daily": 7, "weekly": 4, "monthly": 12}

router = APIRouter(prefix="/repositories", include_in_schema=False)


@router.get("/add")
def show_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Ask where it is, and what it is asked with."""
    return _form(panel, principal, {})


@router.post("/add")
def add(panel: PanelDependency, form: Form) -> Response:
    """Add it."""
    try:
        repositories.add(panel, form.principal, name=form.text("name"), location=form.text("location"), secrets=_secrets(form))
    except InvalidRequest as error:
        return _form(panel, form.principal, form.fields, problem_of(error))
    return RedirectResponse("/backups", 303)


@router.get("/{name}/retention")
def show_retention(panel: PanelDependency, principal: LoggedIn, name: str) -> Response:
    """Ask what is kept there, and with what the rest is given up."""
    return _retention(panel, principal, name, {})


@router.post("/{name}/retention")
def retain(panel: PanelDependency, form: Form, name: str) -> Response:
    """Keep only these, or all of them."""
    if form.text("off"):
        repositories.keep_all(panel, form.principal, name)
        return RedirectResponse("/backups", 303)
    try:
        keep = read_numbers(form.text("keep").split())
        repositories.thin(panel, form.principal, name, location=form.text("location") or None, keep=keep, secrets=_secrets(form))
    except InvalidRequest as error:
        return _retention(panel, form.principal, name, form.fields, problem_of(error))
    return RedirectResponse("/backups", 303)


@router.post("/{name}/remove")
def remove(panel: PanelDependency, form: Form, name: str) -> Response:
    """Copy nothing there any more."""
    form.principal.demand("repository-remove")
    form = confirmed(panel, form, what=doing("remove the repository %(name)s", name=name[:64]), back="/backups")
    repositories.remove(panel, form.principal, name)
    return RedirectResponse("/backups", 303)


@router.get("/kit")
def show_kit_form(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Say what the kit is before it is shown."""
    return _kit(panel, principal)


@router.post("/kit")
def show_kit(panel: PanelDependency, form: Form) -> Response:
    """Show the kit as a page to print, or give it as a file."""
    form.principal.demand("reveal")
    form = confirmed(panel, form, what=doing("see the recovery kit"), back="/repositories/kit")
    try:
        text = repositories.kit_text(panel, form.principal)
    except Conflict as error:
        return _kit(panel, form.principal, problem=problem_of(error))
    if form.text("as") == "file":
        headers = {"Content-Disposition": 'attachment; filename="recovery-kit.toml"', "Cache-Control": "no-store"}
        return PlainTextResponse(text, headers=headers)
    return _kit(panel, form.principal, text=text)


def _secrets(form: Submission) -> dict[str, str]:
    return {name: f"{value}\n" for name in SECRET if (value := form.text(name))}


def _retention(panel: Panel, principal: Principal, name: str, typed: Mapping[str, str], problem: Problem | None = None) -> Response:
    principal.demand("repository-retention")
    repository = panel.appliance.store.repositories.get(name)
    known = repository.retention or {"location": repository.location, "keep": USUALLY_KEPT}
    kept = {"location": known["location"], "keep": " ".join(f"{period}={number}" for period, number in known["keep"].items())}
    return panel.pages.page(
        "repository_retention.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        repository=repository,
        kind=kind_of(repository.location),
        values={field: typed.get(field, value) for field, value in kept.items()},
        problem=problem,
    )


def _kit(panel: Panel, principal: Principal, *, text: str = "", problem: Problem | None = None) -> Response:
    principal.demand("reveal")
    return panel.pages.page(
        "recovery_kit.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        text=text,
        problem=problem,
        repositories=panel.appliance.store.repositories.list(),
    )


def _form(panel: Panel, principal: Principal, values: Mapping[str, str], problem: Problem | None = None) -> Response:
    """What is secret is never shown again."""
    principal.demand("repository-add")
    return panel.pages.page(
        "repository_add.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/backups",
        values={name: values.get(name, "") for name in (*PLAIN, "kind")},
        problem=problem,
    )
