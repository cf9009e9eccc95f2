"""Tags of what the API gives (ETag, RFC 9110): what is known is not sent again, and what has changed is not changed blindly."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.errors import NotFound, PreconditionFailed
from appliance.web.api.refusals import refusal
from appliance.web.panel import Panel, PanelDependency

PLACE = "/api/v1/"
JSON = "application/json"
CHANGED = "It has changed since you looked. Nothing was changed; get it again, and then decide."


def tag_of(content: bytes) -> str:
    """A strong tag: of these very bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class Tags:
    """ASGI middleware: gives JSON of the API a tag, and 304 to whoever has it. Streams pass through it unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only answers to GET that are JSON and went well have one."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(PLACE):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Tagging(send, Headers(scope=scope).get("if-none-match", "")))


class _Tagging:
    """Holds back an answer's beginning until its content, which the API gives in one piece, is there."""

    def __init__(self, send: Send, known: str) -> None:
        self.send, self.known = send, known
        self.start: Message | None = None
        self.content = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_json(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            self.content += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self.start)

    async def _answer(self, start: Message) -> None:
        tag, headers = tag_of(self.content), MutableHeaders(scope=start)
        headers["ETag"] = tag
        if matches(self.known, tag):
            start["status"], self.content = 304, b""
            for name in ("content-length", "content-type"):
                del headers[name]
        await self.send(start)
        await self.send({"type": "http.response.body", "body": self.content})


def _is_json(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "") == JSON  # noqa: PLR2004 - OK


def matches(given: str, tag: str) -> bool:
    """Whether a list of tags, as a header has it, names this one or all of them."""
    return any(one.strip().removeprefix("W/") in (tag, "*") for one in given.split(",")) if given else False


class Precondition:
    """What `If-Match` asks: that something is still as it was seen."""

    def __init__(self, panel: Panel, wanted: str | None) -> None:
        self.panel, self.wanted = panel, wanted

    def on(self, look: Callable[[], BaseModel]) -> AbstractContextManager[None]:
        """The first change in the block raises PreconditionFailed unless what `look` gives, as GET would, has a wanted tag.

        Nobody changes it in between: it is looked at under the write lock.
        """
        return nullcontext() if self.wanted is None else self.panel.appliance.store.database.only_if(lambda: self._check(look))

    def _check(self, look: Callable[[], BaseModel]) -> None:
        try:
            tag = tag_of(look().model_dump_json().encode())
        except NotFound:
            tag = ""
        if not tag or not matches(self.wanted or "", tag):
            raise PreconditionFailed(CHANGED)


def precondition_of(
    panel: PanelDependency,
    if_match: Annotated[
        str | None, Header(max_length=1000, description="The ETag that GET gave: nothing is changed if it has another by now")
    ] = None,
) -> Precondition:
    """What a request asks to be so."""
    return Precondition(panel, if_match)


PreconditionDependency = Annotated[Precondition, Depends(precondition_of)]
UNMET: dict[int | str, dict[str, Any]] = {412: refusal("It has changed since it was looked at")}
