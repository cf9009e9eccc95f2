"""The switches of language and theme; whoever can open the log-in form or the status page may use them, too."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from appliance.errors import Forbidden, InvalidRequest
from appliance.web import choosing, themes
from appliance.web.languages import LANGUAGES, gettext
from appliance.web.pages.entrance import inner_address
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import SESSION_COOKIE, Fields, cookie_of, set_cookie

KEPT_SECONDS = 400 * 86_400
"""As long as browsers keep a cookie at most (RFC 6265bis)."""

router = APIRouter(include_in_schema=False)


@router.post("/language")
def choose_language(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """Keep the language in this browser, and with the account of who is logged in; go back to the page that it was chosen on.

    Raises Forbidden for another site's form, InvalidRequest.
    """
    _demand_own_form(request)
    code = fields.get("language", "")
    if code not in LANGUAGES:
        raise InvalidRequest(
            f"There is no language {code[:20]!r}; choose one of {', '.join(LANGUAGES)}. Nothing was changed.", field="language"
        )
    _keep_with_account(request, panel, language=code)
    return _kept_here(request, choosing.COOKIE, code)


@router.post("/theme")
def choose_theme(request: Request, panel: PanelDependency, fields: Fields) -> Response:
    """The same for the theme. Raises Forbidden for another site's form, InvalidRequest."""
    _demand_own_form(request)
    theme = fields.get("theme", "")
    if theme not in themes.THEMES:
        raise InvalidRequest(
            f"There is no theme {theme[:20]!r}; choose one of {', '.join(themes.THEMES)}. Nothing was changed.", field="theme"
        )
    _keep_with_account(request, panel, theme=theme)
    return _kept_here(request, themes.COOKIE, theme)


def _demand_own_form(request: Request) -> None:
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Forbidden(gettext("This form came from another site. Nothing was changed."))


def _keep_with_account(request: Request, panel: Panel, **chosen: str) -> None:
    """Other sites' forms do not bring the session's cookie along, which is a strict one."""
    access = panel.appliance.store.access
    session = access.find_session(cookie_of(request, SESSION_COOKIE), now=panel.clock())
    if session is not None:
        access.keep_appearance(session.user, **chosen)


def _kept_here(request: Request, cookie: str, value: str) -> Response:
    response = RedirectResponse(_way_back(request), 303)
    set_cookie(request, response, cookie, value, max_age_seconds=KEPT_SECONDS)
    return response


def _way_back(request: Request) -> str:
    """The path and query of the page that the form was on, of this panel whatever the header names."""
    try:
        came_from = urlsplit(request.headers.get("referer", ""))
    except ValueError:  # an address that is none
        return "/"
    return inner_address(f"{came_from.path or '/'}{f'?{came_from.query}' if came_from.query else ''}")
