"""How a refusal or a failure is told: one handler for pages, one for the API, and one table of HTTP codes."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from appliance.errors import (
    ApplianceError,
    ConfigurationError,
    Conflict,
    Forbidden,
    HostRefused,
    HostUnreachable,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    PreflightFailed,
    StepFailed,
    Unauthenticated,
)
from appliance.operations.login_provider import ProviderFailed
from appliance.web import passkeys
from appliance.web.attempts import TooManyAttempts
from appliance.web.confirming import CHALLENGE, CODE, PASSKEY, PASSWORD, PURPOSE, ConfirmationDue
from appliance.web.languages import gettext, marked
from appliance.web.panel import Panel, panel_of
from appliance.web.routes import methods_at
from appliance.web.sessions import PasswordChangeDue, SecondFactorDue

CODES: dict[type[Exception], HTTPStatus] = {
    TooManyAttempts: HTTPStatus.TOO_MANY_REQUESTS,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    PreflightFailed: HTTPStatus.CONFLICT,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    HostRefused: HTTPStatus.CONFLICT,
    HostUnreachable: HTTPStatus.GATEWAY_TIMEOUT,
    StepFailed: HTTPStatus.BAD_GATEWAY,
    ProviderFailed: HTTPStatus.BAD_GATEWAY,
    ConfigurationError: HTTPStatus.SERVICE_UNAVAILABLE,
    RequestValidationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnicodeEncodeError: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The code of each error, and of those derived from it; anything else is 500."""

PROBLEM_DOCUMENT = "application/problem+json"
PROGRAMS = "/api/"
"""What programs ask begins with this."""
HALF = marked("The request holds half of a character (a lone surrogate), which is no text. Nothing was changed.")
UNEXPECTED = marked("Something went wrong inside the panel. Running operations go on; what happened is in the panel's log.")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is told, after RFC 9457."""

    title: str
    status: int
    detail: str
    field: str | None = None
    failures: tuple[str, ...] = ()
    type: str = "about:blank"

    def as_json(self) -> dict[str, Any]:
        """Without the members that say nothing."""
        return {name: value for name, value in asdict(self).items() if value not in (None, ())}


def problem_of(error: Exception) -> Problem:
    """Turn an error into what is told about it."""
    if isinstance(error, HTTPException):
        return Problem(title=HTTPStatus(error.status_code).phrase, status=error.status_code, detail=str(error.detail))
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), HTTPStatus.INTERNAL_SERVER_ERROR)
    return Problem(
        title=code.phrase,
        status=code.value,
        detail=_detail(error).encode(errors="backslashreplace").decode(),
        field=getattr(error, "field", None),
        failures=getattr(error, "failures", ()),
    )


def _detail(error: Exception) -> str:
    if isinstance(error, RequestValidationError):
        return "; ".join(f"{'.'.join(map(str, problem['loc'][1:]))}: {problem['msg']}" for problem in error.errors())
    if isinstance(error, UnicodeEncodeError):
        return gettext(HALF)
    return str(error) if isinstance(error, ApplianceError) else gettext(UNEXPECTED)


def handle(request: Request, error: Exception) -> Response:
    """Answer a program with a problem document and a person with a page."""
    return answer_program(request, error) if request.url.path.startswith(PROGRAMS) else _answer_person(request, error)


def answer_program(request: Request, error: Exception) -> Response:
    """Answer with a problem document (RFC 9457)."""
    problem = problem_of(error)
    headers = getattr(error, "headers", None)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer"}
    elif problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(methods_at(request))}
    return JSONResponse(problem.as_json(), problem.status, headers=headers, media_type=PROBLEM_DOCUMENT)


def _answer_person(request: Request, error: Exception) -> Response:
    if isinstance(error, ConfirmationDue):
        return _ask_again(request, error)
    if isinstance(error, Unauthenticated):
        return _send(request, f"/login?next={quote(_way_back(request), safe='')}")
    if isinstance(error, PasswordChangeDue):
        return _send(request, "/password")
    if isinstance(error, SecondFactorDue):
        return _send(request, "/second-factor")
    problem = problem_of(error)
    if isinstance(error, RequestValidationError):
        problem = Problem(title="Not Found", status=404, detail=gettext("There is no such page."))
    response = panel_of(request).pages.bare("error.html", status=problem.status, problem=problem)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


def _ask_again(request: Request, due: ConfirmationDue) -> Response:
    """The form that was sent waits in the page, and goes on to where it was sent."""
    panel, principal = panel_of(request), due.form.principal
    return panel.pages.page(
        "confirm.html",
        status=due.status,
        principal=principal,
        section="",
        due=due,
        action=_address(request),
        carried={name: text for name, text in due.form.fields.items() if name != "csrf"},
        names={"password": PASSWORD, "code": CODE, "passkey": PASSKEY, "challenge": CHALLENGE},
        question=passkeys.ask(panel, request, purpose=PURPOSE, browser=principal.csrf, user=principal.name, verification="preferred"),
        provider=panel.appliance.store.login_providers.find() if _is_known_to_a_provider(panel, principal.name) else None,
        factor=panel.appliance.store.second_factors.find(principal.name),
    )


def _is_known_to_a_provider(panel: Panel, user: str) -> bool:
    return any(one.user == user for one in panel.appliance.store.login_providers.identities())


def _way_back(request: Request) -> str:
    if request.method != "GET" or "hx-request" in request.headers:
        return "/"
    return _address(request)


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _send(request: Request, address: str) -> Response:
    if "hx-request" in request.headers:  # a fragment cannot show the log-in form; the whole page goes there
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def install_handlers(app: FastAPI) -> None:
    """Let every error end in `handle`."""
    for kind in (ApplianceError, HTTPException, RequestValidationError, UnicodeEncodeError, Exception):
        app.add_exception_handler(kind, handle)
