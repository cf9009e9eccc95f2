"""Which language and theme a request is answered in, until it is known whose it is: those of an account outweigh these."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from appliance.web import themes
from appliance.web.languages import ENGLISH, LANGUAGES, speak
from appliance.web.sessions import cookie_of

COOKIE = "appliance_language"
PROGRAMS = "/api/"
"""Begins the addresses that answer in English whatever is asked for: programs read them."""
MOST_WISHES = 20


def chosen(request: Request) -> str:
    """What somebody chose in this browser before, or else what the browser asks for first of what there is."""
    kept = cookie_of(request, COOKIE)
    return kept if kept in LANGUAGES else wished(request.headers.get("accept-language", ""))


def wished(header: str) -> str:
    """The language that `Accept-Language` (RFC 9110, 12.5.4) prefers among those that there are; English if it is none of them.

    >>> wished("sv, fi-FI;q=0.8, it;q=0.9"), wished("et-EE, en;q=0.5"), wished("de")
    ('it', 'et', 'en')
    """
    wishes = [_wish(part) for part in header.split(",")[:MOST_WISHES]]
    found = [(quality, code) for quality, code in wishes if code in LANGUAGES and quality > 0]
    return max(found, key=lambda wish: wish[0])[1] if found else ENGLISH


def _wish(part: str) -> tuple[float, str]:
    tag, _, quality = part.partition(";")
    code = tag.strip().lower().partition("-")[0]
    try:
        return (float(quality.strip().removeprefix("q=")) if quality else 1.0), code
    except ValueError:
        return 0.0, code


class Languages:
    """ASGI middleware: whatever answers a request finds its language and theme."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose them; a stream goes on in the language in which it began."""
        if scope["type"] == "http":
            request = Request(scope)
            is_for_programs = request.url.path.startswith(PROGRAMS)
            speak(ENGLISH if is_for_programs else chosen(request))
            themes.wear(cookie_of(request, themes.COOKIE), device=request.headers.get(themes.HINT, "").strip('"'))
        await self.app(scope, receive, send)
