"""The bearer tokens of the API, for administrators."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from appliance.errors import InvalidRequest
from appliance.store.tokens import SCOPES
from appliance.web import accounts
from appliance.web.access import Principal
from appliance.web.confirming import confirmed, doing
from appliance.web.errors import Problem, problem_of
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Form, LoggedIn

HERE = "/tokens"
USUAL = {"scope": SCOPES[0], "days": str(accounts.USUAL_DAYS)}

router = APIRouter(prefix=HERE, include_in_schema=False)


@router.get("")
def show(panel: PanelDependency, principal: LoggedIn) -> Response:
    """Show all, and ask for another."""
    return _page(panel, principal, USUAL)


@router.post("/issue")
def issue(panel: PanelDependency, form: Form) -> Response:
    """Issue one, and show it this once."""
    form.principal.demand(accounts.TOKENS)
    form = confirmed(panel, form, what=doing("issue a token"), back=HERE)
    try:
        days = form.number("days") if form.text("days") else None
        made = accounts.issue_token(
            panel, form.principal, name=form.text("name"), user=form.text("user"), scope=form.text("scope"), days=days
        )
    except InvalidRequest as error:
        return _page(panel, form.principal, form.fields, problem=problem_of(error))
    return _page(panel, form.principal, USUAL, token=made, of=form.text("name"))


@router.post("/revoke")
def revoke(panel: PanelDependency, form: Form) -> Response:
    """Let one open nothing any more."""
    accounts.revoke_token(panel, form.principal, form.text("name"))
    return RedirectResponse(HERE, 303)


def _page(
    panel: Panel, principal: Principal, values: Mapping[str, str], *, token: str = "", of: str = "", problem: Problem | None = None
) -> Response:
    return panel.pages.page(
        "tokens.html",
        status=problem.status if problem else 200,
        principal=principal,
        section="/settings",
        tokens=accounts.tokens(panel, principal),
        users=[one.name for one in panel.appliance.store.access.users()],
        scopes=SCOPES,
        values={"user": principal.name, **values},
        token=token,
        of=of,
        problem=problem,
    )
