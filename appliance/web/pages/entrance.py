"""Log in, log out, change the password."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.web.panel import Panel, PanelDependency
from appliance.web.passwords import authenticate, check_new_password, hash_password, matches
from appliance.web.sessions import VISIT_COOKIE, Fields, Guest, GuestForm, begin_session, cookie_of, end_session, same, visit_token

router = APIRouter(include_in_schema=False)


def inner_address(address: str) -> str:
    """Give an address of this panel back, and the overview instead of any other: nobody is sent elsewhere after logging in."""
    is_inner = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_inner else "/"


@router.get("/login")
def show_login(request: Request, panel: PanelDependency, next: str = "/") -> Response:
    """Show the form."""
    return _login_form(request, panel, name="", address=next, problem="", status=200)


@router.post("/login")
def log_in(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """Log in, and go where the visitor was going."""
    name, address = fields.get("name", "").strip(), inner_address(fields.get("next", "/"))
    if not same(fields.get("csrf", ""), cookie_of(request, VISIT_COOKIE)):
        return _login_form(request, panel, name=name, address=address, problem="Please send the form once more.", status=403)
    access, now = panel.appliance.store.access, panel.clock()
    try:
        user = authenticate(access, name, fields.get("password", ""), now=now)
    except (Unauthenticated, Forbidden) as error:
        access.audit(actor=name[:64], action="log in refused", subject="panel", detail={"from": _client(request)}, now=now)
        return _login_form(request, panel, name=name, address=address, problem=str(error), status=_refusal_status(error))
    access.audit(actor=user.name, action="log in", subject="panel", detail={"from": _client(request)}, now=now)
    response = RedirectResponse("/password" if user.must_change else address, 303)
    begin_session(request, response, panel, user.name)
    return response


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
        _replace_password(panel, name, form.fields)
    except InvalidRequest as error:
        return panel.pages.bare("password.html", status=422, principal=form.principal, problem=str(error), field=error.field or "")
    access.audit(actor=name, action="change password", subject=name, detail={}, now=now)
    response = RedirectResponse("/", 303)
    begin_session(request, response, panel, name)
    return response


def _replace_password(panel: Panel, name: str, fields: Mapping[str, str]) -> None:
    access, now = panel.appliance.store.access, panel.clock()
    user = access.find_user(name)
    if user is None:
        raise Unauthenticated("This user is gone.")
    if not user.must_change and not matches(user.password_hash, fields.get("current", "")):
        raise InvalidRequest("This is not your password now.", field="current")
    password = fields.get("password", "")
    check_new_password(password, fields.get("again", ""), current_hash=user.password_hash)
    access.put_user(name=name, password_hash=hash_password(password), role=user.role, must_change=False, now=now)


def _login_form(request: Request, panel: Panel, *, name: str, address: str, problem: str, status: int) -> Response:
    carrier = Response()
    csrf = visit_token(request, carrier)
    page = panel.pages.bare("login.html", status=status, csrf=csrf, name=name, address=inner_address(address), problem=problem)
    page.raw_headers.extend(header for header in carrier.raw_headers if header[0] == b"set-cookie")
    return page


def _refusal_status(error: Exception) -> int:
    return 429 if isinstance(error, Forbidden) else 401


def _client(request: Request) -> str:
    return request.client.host if request.client else "unknown"
