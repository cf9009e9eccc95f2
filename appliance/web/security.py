"""Headers that every answer carries, and the limit on what is read of a request."""

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.web.errors import PROGRAMS, answer_program

LARGEST_BODY_BYTES = 262_144
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
TOO_LONG = "The request is too long, or does not say its length. Nothing was changed."
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-CH": "Sec-CH-Prefers-Color-Scheme",
}


class SecurityHeaders:
    """ASGI middleware: streams pass through it unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers; pages are not kept by caches unless they say so themselves."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BodyLimit:
    """ASGI middleware: a request says how long it is, and is refused before it is read when that is too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 or 411 by itself; forms and JSON bodies of the panel are small."""
        if scope["type"] != "http" or (status := _refusal(Headers(scope=scope))) is None:
            await self.app(scope, receive, send)
            return
        refused = HTTPException(status, TOO_LONG, headers={"Connection": "close"})
        if scope["path"].startswith(PROGRAMS):
            answer = answer_program(Request(scope), refused)
        else:
            answer = PlainTextResponse(f"{TOO_LONG}\n", status, headers=refused.headers)
        await answer(scope, receive, send)


def _refusal(headers: Headers) -> int | None:
    if "transfer-encoding" in headers:
        return 411
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        return 400
    return 413 if int(length) > LARGEST_BODY_BYTES else None
