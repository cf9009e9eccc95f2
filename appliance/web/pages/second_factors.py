"""The second factor of somebody's own log-in; for administrators, who else has one."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.domain.second_factor import written
from appliance.errors import Conflict, Forbidden, InvalidRequest, Unauthenticated
from appliance.web import passkeys, second_factors
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, Newcomer, NewcomerForm, owes_second_factor

HERE = "/second-factor"

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def show(request: Request, panel: PanelDependency, principal: Newcomer) -> Response:
    """Say whether it is on."""
    return _state_page(request, panel, principal)


def _state_page(request: Request, panel: Panel, principal: Principal, *, problem: str = "", name: str = "", status: int = 200) -> Response:
    seen = second_factors.seen_by(panel, principal)
    own = next((one for one in seen if one.user == principal.name), None)
    others = [one for one in seen if one.user != principal.name]
    due = owes_second_factor(panel, principal)
    hindrance = passkeys.hindrance(panel, request)
    return panel.pages.page(
        "second_factor.html",
        status=status,
        principal=principal,
        section=HERE,
        own=own,
        others=others,
        is_due=due,
        passkeys=passkeys.seen_by(panel, principal, principal.name),
        hindrance=hindrance,
        question=None if hindrance else passkeys.ask_for_new(panel, principal),
        problem=problem,
        name=name,
    )


@router.post("/offer")
def offer(panel: PanelDependency, form: NewcomerForm) -> Response:
    """Show a new secret, and ask for a code of it."""
    form = confirmed(panel, form, what=doing("set up a second factor"), back=HERE)
    return _offer_form(panel, form.principal, second_factors.offer(panel, form.principal))


@router.post("/on")
def turn_on(panel: PanelDependency, form: NewcomerForm) -> Response:
    """Turn it on, once the code shows that the app has the secret. A refusal shows the secret again, so it is shown to nobody else."""
    form = confirmed(panel, form, what=doing("set up a second factor"), back=HERE)
    try:
        codes = second_factors.turn_on(panel, form.principal, form.text("code"))
    except (InvalidRequest, Forbidden) as error:
        secret = panel.appliance.store.second_factors.offered(form.principal.name)
        return _offer_form(panel, form.principal, secret, problem_of(error))
    return _codes_page(panel, form.principal, codes, is_new=True)


@router.post("/codes")
def renew_codes(panel: PanelDependency, form: NewcomerForm) -> Response:
    """Show new recovery codes."""
    form = confirmed(panel, form, what=doing("make new recovery codes"), back=HERE)
    return _codes_page(panel, form.principal, second_factors.renew_codes(panel, form.principal), is_new=False)


@router.post("/passkeys")
def add_passkey(request: Request, panel: PanelDependency, form: NewcomerForm) -> Response:
    """Ask for a passkey that the browser has just made, too; the first thing of a second factor gives recovery codes."""
    form = confirmed(panel, form, what=doing("add a passkey"), back=HERE)
    name = form.text("name")
    try:
        codes = passkeys.add(panel, form.principal, name=name, answer=form.text("passkey"), sealed=form.text("challenge"))
    except (InvalidRequest, Conflict, Unauthenticated) as error:
        status = 422 if isinstance(error, Unauthenticated) else problem_of(error).status
        return _state_page(request, panel, form.principal, problem=str(error), name=name, status=status)
    return _codes_page(panel, form.principal, codes, is_new=True) if codes else RedirectResponse(HERE, 303)


@router.post("/passkeys/{name}/{passkey_id}/remove")
def remove_passkey(panel: PanelDependency, form: Form, name: str, passkey_id: str) -> Response:
    """Remove a passkey, one's own or for an administrator somebody else's."""
    second_factors.demand(form.principal, name)
    form = confirmed(panel, form, what=doing("remove a passkey of %(name)s", name=name[:64]), back=HERE)
    passkeys.remove(panel, form.principal, name, passkey_id)
    return RedirectResponse(HERE, 303)


@router.post("/off/{name}")
def turn_off(panel: PanelDependency, form: Form, name: str) -> Response:
    """Turn it off, one's own or for an administrator somebody else's."""
    second_factors.demand(form.principal, name)
    form = confirmed(panel, form, what=doing("turn the second factor of %(name)s off", name=name[:64]), back=HERE)
    second_factors.turn_off(panel, form.principal, name)
    return RedirectResponse(HERE, 303)


def _offer_form(panel: Panel, principal: Principal, secret: str, problem: Problem | None = None) -> Response:
    return panel.pages.page(
        "second_factor_offer.html",
        status=problem.status if problem else 200,
        principal=principal,
        section=HERE,
        problem=problem,
        **second_factors.shown_secret(panel, principal, secret),
    )


def _codes_page(panel: Panel, principal: Principal, codes: list[str], *, is_new: bool) -> Response:
    text = written(codes, user=principal.name, machine=second_factors.machine_of(panel))
    return panel.pages.page("second_factor_codes.html", principal=principal, section=HERE, codes=codes, text=text, is_new=is_new)
