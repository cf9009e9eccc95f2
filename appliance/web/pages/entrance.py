"""Log in, with a second factor where there is one, log out, change the password."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.domain.passkey import Passkey
from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.store.access import User
from appliance.web import passkeys, tickets
from appliance.web.attempts import TooManyAttempts, counted
from appliance.web.languages import gettext
from appliance.web.panel import Panel, PanelDependency
from appliance.web.passwords import authenticate, check_new_password, check_password, forgive, hash_password
from appliance.web.second_factors import check_code
from appliance.web.sessions import (
    TICKET_COOKIE,
    VISIT_COOKIE,
    Fields,
    Guest,
    GuestForm,
    address_of,
    begin_session,
    cookie_of,
    delete_cookie,
    end_session,
    same,
    set_cookie,
    visit_token,
)

PURPOSE = "log in"

router = APIRouter(include_in_schema=False)


def inner_address(address: str) -> str:
    """Give an address of this panel back, and the overview instead of any other: nobody is sent elsewhere after logging in."""
    is_inner = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_inner else "/"


@router.get("/login")
def show_login(request: Request, panel: PanelDependency, next: str = "/") -> Response:
    """Show the form."""
    return login_form(request, panel, name="", address=next, problem="", status=200)


@router.post("/login")
def log_in(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """Log in, and go where the visitor was going."""
    name, address = fields.get("name", "").strip(), inner_address(fields.get("next", "/"))
    if not same(fields.get("csrf", ""), cookie_of(request, VISIT_COOKIE)):
        return login_form(request, panel, name=name, address=address, problem=gettext("Please send the form once more."), status=403)
    try:
        with counted(panel, address_of(request)):
            user = authenticate(panel.appliance.store.access, name, fields.get("password", ""), now=panel.clock())
    except (Unauthenticated, Forbidden) as error:
        note_refusal(request, panel, name, error)
        return with_headers(error, login_form(request, panel, name=name, address=address, problem=str(error), status=refusal_status(error)))
    if panel.appliance.store.second_factors.find(user.name):
        return ask_for_code(request, panel, user, address)
    return enter(request, panel, user, address, "")


def ask_for_code(request: Request, panel: Panel, user: User, address: str) -> RedirectResponse:
    """The second factor is still to come."""
    response = RedirectResponse(f"/login/code?next={quote(address, safe='')}", 303)
    set_cookie(request, response, TICKET_COOKIE, tickets.issue(panel, user), max_age_seconds=tickets.LIFE_SECONDS)
    return response


@router.get("/login/code")
def show_code_form(request: Request, panel: PanelDependency, next: str = "/") -> Response:
    """Ask for the code, after the password."""
    try:
        user = tickets.read(panel, cookie_of(request, TICKET_COOKIE))
    except Unauthenticated:
        return RedirectResponse(f"/login?next={quote(inner_address(next), safe='')}", 303)
    return _code_form(request, panel, user.name, inner_address(next))


@router.post("/login/code")
def log_in_by_code(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """Bring the log-in to its end."""
    address = inner_address(fields.get("next", "/"))
    if not same(fields.get("csrf", ""), cookie_of(request, VISIT_COOKIE)):
        return login_form(request, panel, name="", address=address, problem=gettext("Please send the form once more."), status=403)
    try:
        user = tickets.read(panel, cookie_of(request, TICKET_COOKIE))
    except Unauthenticated as error:
        return login_form(request, panel, name="", address=address, problem=str(error), status=401)
    is_on = panel.appliance.store.second_factors.find(user.name) is not None
    try:
        kind = _check_second(request, panel, user.name, fields) if is_on else ""
    except (Unauthenticated, Forbidden) as error:
        note_refusal(request, panel, user.name, error, at="second factor")
        return with_headers(error, _code_form(request, panel, user.name, address, problem=str(error), status=refusal_status(error)))
    return enter(request, panel, user, address, kind)


def _check_second(request: Request, panel: Panel, user: str, fields: Mapping[str, str]) -> str:
    """A passkey that was touched, or else a code; gives which kind it was."""
    with counted(panel, address_of(request)):
        if not fields.get("passkey"):
            return check_code(panel, user, fields.get("code", ""))
        _take_passkey(request, panel, fields, user=user)
        return "passkey"


@router.post("/login/passkey")
def log_in_by_passkey(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """Log in by a passkey alone, which has known its owner."""
    address = inner_address(fields.get("next", "/"))
    if not same(fields.get("csrf", ""), cookie_of(request, VISIT_COOKIE)):
        return login_form(request, panel, name="", address=address, problem=gettext("Please send the form once more."), status=403)
    try:
        with counted(panel, address_of(request)):
            passkey = _take_passkey(request, panel, fields)
    except (Unauthenticated, Forbidden) as error:
        note_refusal(request, panel, "", error, at="passkey")
        return with_headers(error, login_form(request, panel, name="", address=address, problem=str(error), status=refusal_status(error)))
    user = panel.appliance.store.access.find_user(passkey.user)
    if user is None:
        raise Unauthenticated(gettext("This user is gone."))
    return enter(request, panel, user, address, "passkey alone")


def _take_passkey(request: Request, panel: Panel, fields: Mapping[str, str], *, user: str = "") -> Passkey:
    return passkeys.take(
        panel,
        answer=fields.get("passkey", ""),
        sealed=fields.get("challenge", ""),
        purpose=PURPOSE,
        browser=cookie_of(request, VISIT_COOKIE),
        user=user,
        is_alone=not user,
    )


def enter(
    request: Request, panel: Panel, user: User, address: str, kind: str, *, provider: str = "", is_confirmed: bool = True
) -> RedirectResponse:
    """All that was asked for was right; `kind` is what the second factor was, `provider` who answers for the user instead of a password."""
    access = panel.appliance.store.access
    if not provider:
        forgive(access, user.name)
    told = {"from": address_of(request)} | ({"second factor": kind} if kind else {}) | ({"provider": provider} if provider else {})
    access.audit(actor=user.name, action="log in", subject="panel", detail=told, now=panel.clock())
    response = RedirectResponse("/password" if user.must_change else address, 303)
    delete_cookie(request, response, TICKET_COOKIE)
    begin_session(request, response, panel, user.name, is_confirmed=is_confirmed)
    return response


def note_refusal(request: Request, panel: Panel, name: str, error: Exception, **detail: str) -> None:
    """Write into the audit that somebody was not let in; of what was not even looked at, `counted` has written enough."""
    if isinstance(error, TooManyAttempts):
        return
    told = {"from": address_of(request), **detail}
    panel.appliance.store.access.audit(actor=name[:64], action="log in refused", subject="panel", detail=told, now=panel.clock())


@router.post("/logout")
def log_out(request: Request, panel: PanelDependency, _: GuestForm) -> Response:
    """End the session."""
    response = RedirectResponse("/login", 303)
    end_session(request, response, panel)
    return response


@router.get("/password")
def show_password(panel: PanelDependency, guest: Guest) -> Response:
    """Show the form."""
    return panel.pages.bare("password.html", principal=guest, problem="", field="")


@router.post("/password")
def change_password(request: Request, panel: PanelDependency, form: GuestForm) -> Response:
    """Replace the password; every other browser of this user is logged out."""
    access, now, name = panel.appliance.store.access, panel.clock(), form.principal.name
    try:
        was_first = _replace_password(panel, name, form.fields)
    except InvalidRequest as error:
        return panel.pages.bare("password.html", status=422, principal=form.principal, problem=str(error), field=error.field or "")
    except Forbidden as error:
        return panel.pages.bare("password.html", status=429, principal=form.principal, problem=str(error), field="current")
    access.audit(actor=name, action="change password", subject=name, detail={}, now=now)
    response = RedirectResponse("/welcome" if was_first else "/", 303)
    begin_session(request, response, panel, name, is_confirmed=panel.appliance.store.second_factors.find(name) is None)
    return response


def _replace_password(panel: Panel, name: str, fields: Mapping[str, str]) -> bool:
    """Says whether it is the first that this user has chosen."""
    access, now = panel.appliance.store.access, panel.clock()
    user = access.find_user(name)
    if user is None:
        raise Unauthenticated(gettext(gettext("This user is gone.")))
    if not user.must_change:
        _check_current(panel, user, fields.get("current", ""))
    password = fields.get("password", "")
    check_new_password(password, fields.get("again", ""), current_hash=user.password_hash)
    access.put_user(name=name, password_hash=hash_password(password), role=user.role, must_change=False, now=now)
    return user.must_change


def _check_current(panel: Panel, user: User, password: str) -> None:
    try:
        check_password(panel.appliance.store.access, user, password, now=panel.clock())
    except Unauthenticated:
        raise InvalidRequest(gettext("This is not your password now."), field="current") from None


def login_form(request: Request, panel: Panel, *, name: str, address: str, problem: str, status: int) -> Response:
    """The form, with what was the matter."""
    told = {"name": name, "address": inner_address(address), "problem": problem}
    provider = panel.appliance.store.login_providers.find()
    return _of_visit(request, panel, "login.html", status=status, provider=provider, **told)


def _code_form(request: Request, panel: Panel, user: str, address: str, *, problem: str = "", status: int = 200) -> Response:
    found = panel.appliance.store.second_factors.find(user)
    told = {"address": address, "problem": problem, "has_app": found is None or found.has_app}
    return _of_visit(request, panel, "login_code.html", status=status, user=user, **told)


def _of_visit(request: Request, panel: Panel, template: str, *, status: int, user: str = "", **context: Any) -> Response:
    """A form for a browser that is not logged in; what it must repeat is in a cookie."""
    carrier = Response()
    token = visit_token(request, carrier)
    verification = "discouraged" if user else "required"  # after the password a touch is enough
    question = passkeys.ask(panel, request, purpose=PURPOSE, browser=token, user=user, verification=verification)
    page = panel.pages.bare(template, status=status, csrf=token, question=question, **context)
    page.raw_headers.extend(header for header in carrier.raw_headers if header[0] == b"set-cookie")
    return page


def with_headers(error: Exception, response: Response) -> Response:
    """A form that says, for programs too, when to try again."""
    response.headers.update(getattr(error, "headers", {}))
    return response


def refusal_status(error: Exception) -> int:
    """Of a form that is shown again."""
    return 429 if isinstance(error, Forbidden) else 401
