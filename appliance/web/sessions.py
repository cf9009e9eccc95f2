"""Who is asking: browser sessions by cookie, bearer tokens of the API, and the token that every form carries."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer

from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.store.access import SESSION_LIFE, User
from appliance.web.access import Principal, Role
from appliance.web.panel import Panel, PanelDependency

SESSION_COOKIE = "appliance_session"
VISIT_COOKIE = "appliance_visit"
HOST_ONLY = "__Host-"
"""Begins the name of a cookie that browsers take from this very host by HTTPS alone (RFC 6265bis); over HTTP they would refuse it."""
LONGEST_NUMBER = 9
STALE_FORM = "This form is out of date or came from another page. Nothing was changed; go back, reload the page and send it again."


class PasswordChangeDue(Forbidden):
    """The one-time password opens nothing but the form that replaces it."""


def guest_of(request: Request, panel: PanelDependency) -> Principal:
    """Find who is logged in, even with a one-time password. Raises Unauthenticated."""
    session = panel.appliance.store.access.find_session(cookie_of(request, SESSION_COOKIE), now=panel.clock())
    user = panel.appliance.store.access.find_user(session.user) if session else None
    if session is None or user is None:
        raise Unauthenticated("Log in first.")
    return _principal(user, csrf=session.csrf)


Guest = Annotated[Principal, Depends(guest_of)]


def principal_of(guest: Guest) -> Principal:
    """Find who is logged in. Raises Unauthenticated, and PasswordChangeDue with a one-time password."""
    if guest.must_change:
        raise PasswordChangeDue("Choose a password of your own first.")
    return guest


LoggedIn = Annotated[Principal, Depends(principal_of)]


DOCUMENTED = HTTPBearer(auto_error=False)
"""Only tells the API's description that a bearer token is wanted."""


def bearer_of(request: Request, panel: PanelDependency) -> Principal:
    """Find whose bearer token this is. Raises Unauthenticated, and PasswordChangeDue with a one-time password."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    user = panel.appliance.store.access.find_token_user(token.strip(), now=panel.clock()) if scheme.lower() == "bearer" and token else None
    if user is None:
        raise Unauthenticated("Send a bearer token: `Authorization: Bearer appl_…`.")
    return principal_of(_principal(user))


Bearer = Annotated[Principal, Depends(bearer_of)]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A form that somebody sent from a page of this panel."""

    principal: Principal
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """One field without the blanks around it; empty when it is absent."""
        return self.fields.get(name, "").strip()

    def filled(self, *names: str) -> dict[str, str]:
        """Those fields that something was typed into."""
        return {name: text for name in names if (text := self.text(name))}

    def number(self, name: str) -> int:
        """One field that is a whole number. Raises InvalidRequest that names it."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
            raise InvalidRequest(f"{text[:20]!r} is not a number. Nothing was changed.", field=name)
        return int(text)

    def ticked(self, group: str) -> list[str]:
        """What was ticked in a group of boxes, which are named as "group:what"."""
        return [name.removeprefix(f"{group}:") for name, value in self.fields.items() if name.startswith(f"{group}:") and value]


async def fields_of(request: Request) -> dict[str, str]:
    """Read the text fields of a form; the last of a name counts."""
    form = await request.form()
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


Fields = Annotated[dict[str, str], Depends(fields_of)]


def guest_submission_of(guest: Guest, fields: Fields) -> Submission:
    """Accept a form only with this session's token, even with a one-time password. Raises Forbidden."""
    if not same(fields.get("csrf", ""), guest.csrf):
        raise Forbidden(STALE_FORM)
    return Submission(principal=guest, fields=fields)


GuestForm = Annotated[Submission, Depends(guest_submission_of)]


def submission_of(submission: GuestForm, _: LoggedIn) -> Submission:
    """Accept a form only with this session's token. Raises Forbidden and PasswordChangeDue."""
    return submission


Form = Annotated[Submission, Depends(submission_of)]


def same(given: str, expected: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ; nothing equals an empty one."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def begin_session(request: Request, response: Response, panel: Panel, user: str) -> None:
    """Log a browser in: a new secret in a cookie that scripts and other sites cannot use."""
    token, _ = panel.appliance.store.access.open_session(user, now=panel.clock())
    set_cookie(request, response, SESSION_COOKIE, token, max_age_seconds=int(SESSION_LIFE.total_seconds()))


def end_session(request: Request, response: Response, panel: Panel) -> None:
    """Log a browser out; its cookie's secret is worth nothing afterwards."""
    panel.appliance.store.access.close_session(cookie_of(request, SESSION_COOKIE))
    response.delete_cookie(_cookie_name(request, SESSION_COOKIE), secure=_is_encrypted(request), httponly=True, samesite="strict")


def visit_token(request: Request, response: Response) -> str:
    """Give a browser that is not logged in a token which its log-in form must repeat."""
    token = cookie_of(request, VISIT_COOKIE) or secrets.token_urlsafe(24)
    set_cookie(request, response, VISIT_COOKIE, token, max_age_seconds=None)
    return token


def set_cookie(request: Request, response: Response, name: str, value: str, *, max_age_seconds: int | None) -> None:
    """Set a cookie for this panel alone; over HTTPS it never travels otherwise."""
    whole_name, secure = _cookie_name(request, name), _is_encrypted(request)
    response.set_cookie(whole_name, value, max_age=max_age_seconds, httponly=True, samesite="strict", secure=secure)


def cookie_of(request: Request, name: str) -> str:
    """What a browser sent back; empty when it has none."""
    return request.cookies.get(_cookie_name(request, name), "")


def _cookie_name(request: Request, name: str) -> str:
    return f"{HOST_ONLY}{name}" if _is_encrypted(request) else name


def _is_encrypted(request: Request) -> bool:
    return request.url.scheme == "https"


def _principal(user: User, csrf: str = "") -> Principal:
    return Principal(name=user.name, role=Role(user.role), csrf=csrf, must_change=user.must_change)
