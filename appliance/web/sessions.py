"""Who is asking: browser sessions by cookie, bearer tokens of the API, and the token that every form carries."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Request, Response
from fastapi.security import HTTPBearer

from appliance.errors import Forbidden, InvalidRequest, Unauthenticated
from appliance.store.access import SESSION_LIFE, User
from appliance.web.access import Principal, Role
from appliance.web.attempts import TOKEN, count_failure
from appliance.web.languages import LANGUAGES, gettext, marked, speak
from appliance.web.panel import Panel, PanelDependency
from appliance.web.themes import THEMES, wear_instead

SESSION_COOKIE = "appliance_session"
VISIT_COOKIE = "appliance_visit"
TICKET_COOKIE = "appliance_ticket"
FLOW_COOKIE = "appliance_flow"
HOST_ONLY = "__Host-"
"""Begins the name of a cookie that browsers take from this very host by HTTPS alone (RFC 6265bis); over HTTP they would refuse it."""
LONGEST_NUMBER = 9
LONGEST_BROWSER = 200
"""Characters of what a browser says of itself that are kept."""
STALE_FORM = marked("This form is out of date or came from another page. Nothing was changed; go back, reload the page and send it again.")


class PasswordChangeDue(Forbidden):
    """The one-time password opens nothing but the form that replaces it."""


class SecondFactorDue(Forbidden):
    """The settings ask this user for a second factor; until it is on, nothing but the page that sets it up is open."""


def session_guest(request: Request, panel: PanelDependency) -> Principal:
    """Find who is logged in, even with a one-time password. Raises Unauthenticated."""
    session = panel.appliance.store.access.find_session(cookie_of(request, SESSION_COOKIE), now=panel.clock())
    user = panel.appliance.store.access.find_user(session.user) if session else None
    if session is None or user is None:
        raise Unauthenticated("Log in first.")
    return _principal(panel, user, csrf=session.csrf, confirmed_at=session.confirmed_at)


async def guest_of(guest: Annotated[Principal, Depends(session_guest)]) -> Principal:
    """Answer who is logged in, in the language and theme of that account; no thread of its own, where what is set would be lost."""
    if guest.language:
        speak(guest.language)
    if guest.theme:
        wear_instead(guest.theme)
    return guest


Guest = Annotated[Principal, Depends(guest_of)]


def newcomer_of(guest: Guest) -> Principal:
    """Find who is logged in, even without a second factor that is due. Raises Unauthenticated and PasswordChangeDue."""
    if guest.must_change:
        raise PasswordChangeDue("Choose a password of your own first.")
    return guest


Newcomer = Annotated[Principal, Depends(newcomer_of)]


def principal_of(newcomer: Newcomer, panel: PanelDependency) -> Principal:
    """Find who is logged in. Raises Unauthenticated, PasswordChangeDue with a one-time password, and SecondFactorDue."""
    if owes_second_factor(panel, newcomer):
        raise SecondFactorDue("Set up your second factor first.")
    return newcomer


def owes_second_factor(panel: Panel, principal: Principal) -> bool:
    """Whether the settings ask this one for a second factor that is not on."""
    asked = panel.appliance.settings.second_factor_for
    if asked == "nobody" or (asked == "administrators" and principal.role != Role.ADMINISTRATOR):
        return False
    return panel.appliance.store.second_factors.find(principal.name) is None


LoggedIn = Annotated[Principal, Depends(principal_of)]


DOCUMENTED = HTTPBearer(auto_error=False)
"""Only tells the API's description that a bearer token is wanted."""


def bearer_of(request: Request, panel: PanelDependency) -> Principal:
    """Find whose bearer token this is. Raises Unauthenticated, PasswordChangeDue with a one-time password, and TooManyAttempts.

    A right one is taken from wherever it comes: it cannot be guessed, and a program beside one with an old token goes on.
    """
    store, sent = panel.appliance.store, bearer_token(request)
    token = store.tokens.find(sent) if sent else None
    user = store.access.find_user(token.user) if token else None
    if sent and user is None:
        count_failure(panel, address_of(request), TOKEN)
    if token is None or user is None:
        raise Unauthenticated("Send a bearer token: `Authorization: Bearer appl_…`.")
    if token.is_over(panel.clock()):
        raise Unauthenticated(f"The token {token.name!r} is over since {token.expires_at}. Nothing was changed; issue another one.")
    store.tokens.note_use(token, now=panel.clock())
    return newcomer_of(_within(_principal(panel, user), Role(token.scope)))


def _within(principal: Principal, scope: Role) -> Principal:
    """With the rights that a scope leaves: a viewer's includes no single CRM that may be operated."""
    role = min(principal.role, scope, key=list(Role).index)
    return replace(principal, role=role, crms=frozenset() if scope is Role.VIEWER else principal.crms)


def bearer_token(request: Request) -> str:
    """The bearer token that a request carries; empty for none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def opens(panel: Panel, token: str) -> bool:
    """Whether a bearer token opens the API still."""
    return panel.appliance.store.tokens.opens(token, now=panel.clock())


def is_logged_in(panel: Panel, cookie: str) -> bool:
    """Whether a browser's session goes on."""
    return panel.appliance.store.access.has_session(cookie, now=panel.clock())


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
            raise InvalidRequest(gettext("%(text)s is not a number. Nothing was changed.", text=repr(text[:20])), field=name)
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
        raise Forbidden(gettext(STALE_FORM))
    return Submission(principal=guest, fields=fields)


GuestForm = Annotated[Submission, Depends(guest_submission_of)]


def newcomer_submission_of(submission: GuestForm, _: Newcomer) -> Submission:
    """The same for the page that sets a second factor up. Raises Forbidden and PasswordChangeDue."""
    return submission


NewcomerForm = Annotated[Submission, Depends(newcomer_submission_of)]


def submission_of(submission: GuestForm, _: LoggedIn) -> Submission:
    """Accept a form only with this session's token. Raises Forbidden, PasswordChangeDue and SecondFactorDue."""
    return submission


Form = Annotated[Submission, Depends(submission_of)]


def same(given: str, expected: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ; nothing equals an empty one."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def begin_session(request: Request, response: Response, panel: Panel, user: str, *, is_confirmed: bool = True) -> None:
    """Log a browser in: a new secret in a cookie that scripts and other sites cannot use."""
    browser = request.headers.get("user-agent", "")[:LONGEST_BROWSER]
    token, _ = panel.appliance.store.access.open_session(
        user, now=panel.clock(), address=address_of(request), browser=browser, is_confirmed=is_confirmed
    )
    set_cookie(request, response, SESSION_COOKIE, token, max_age_seconds=int(SESSION_LIFE.total_seconds()))


def end_session(request: Request, response: Response, panel: Panel) -> None:
    """Log a browser out; its cookie's secret is worth nothing afterwards."""
    panel.appliance.store.access.close_session(cookie_of(request, SESSION_COOKIE))
    delete_cookie(request, response, SESSION_COOKIE)


def visit_token(request: Request, response: Response) -> str:
    """Give a browser that is not logged in a token which its log-in form must repeat."""
    token = cookie_of(request, VISIT_COOKIE) or secrets.token_urlsafe(24)
    set_cookie(request, response, VISIT_COOKIE, token, max_age_seconds=None)
    return token


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def set_cookie(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    max_age_seconds: int | None,
    same_site: Literal["strict", "lax"] = "strict",
) -> None:
    """Set a cookie for this panel alone; over HTTPS it never travels otherwise. A lax one also comes along when another site leads here."""
    whole_name, secure = _cookie_name(request, name), _is_encrypted(request)
    response.set_cookie(whole_name, value, max_age=max_age_seconds, httponly=True, samesite=same_site, secure=secure)


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Have a browser forget a cookie."""
    response.delete_cookie(_cookie_name(request, name), secure=_is_encrypted(request), httponly=True, samesite="strict")


def cookie_of(request: Request, name: str) -> str:
    """What a browser sent back; empty when it has none."""
    return request.cookies.get(_cookie_name(request, name), "")


def _cookie_name(request: Request, name: str) -> str:
    return f"{HOST_ONLY}{name}" if _is_encrypted(request) else name


def _is_encrypted(request: Request) -> bool:
    return request.url.scheme == "https"


def _principal(panel: Panel, user: User, csrf: str = "", confirmed_at: datetime | None = None) -> Principal:
    role = Role(user.role)
    crms = panel.appliance.store.grants.of(user.name) if role is Role.VIEWER else frozenset()
    return Principal(
        name=user.name,
        role=role,
        csrf=csrf,
        must_change=user.must_change,
        confirmed_at=confirmed_at,
        crms=crms,
        language=user.language if user.language in LANGUAGES else "",
        theme=user.theme if user.theme in THEMES else "",
    )
