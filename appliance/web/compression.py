"""Pages travel compressed, as style sheets and scripts do. What is streamed or downloaded passes as it is.

That a secret and something of a stranger's choice are compressed together tells nobody anything here: the session's cookie is
`SameSite=Strict`, so no foreign page can make a browser ask for a page with that secret.
"""

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = "text/html"
SMALLEST_BYTES = 1_000
LEVEL = 4
"""A little larger than with the usual 9, in a third of the time."""


class Compression:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compress a page that is sent at once, for who understands that."""
        if scope["type"] != "http" or "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
            await self.app(scope, receive, send)
            return
        held: Message = {}

        async def send_compressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.update(message)
                return
            if held:
                start = dict(held)
                held.clear()
                await send(_compressed(start, message))
            await send(message)

        await self.app(scope, receive, send_compressed)


def _compressed(start: Message, body: Message) -> Message:
    """The beginning of the answer, with its body compressed if it is a page that is there as a whole."""
    headers = MutableHeaders(raw=list(start["headers"]))
    content = body.get("body", b"")
    if headers.get("content-type", "").startswith(PAGE):
        headers.add_vary_header("Accept-Encoding")
        if not body.get("more_body", False) and len(content) >= SMALLEST_BYTES and "content-encoding" not in headers:
            body["body"] = gzip.compress(content, LEVEL, mtime=0)
            headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body["body"]))
    return {**start, "headers": headers.raw}
