"""The appliance of another machine, through its API: what `--url` chooses. Commands that cannot do that refuse."""

import os
import ssl
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from appliance.domain.operation import Operation
from appliance.errors import ApplianceError, Conflict, InvalidRequest, NotFound, PreflightFailed, Unauthenticated
from appliance.store.logs import LogLine

if TYPE_CHECKING:
    from httpx import Client, Response

OPERATION = TypeAdapter(Operation)
LINES = TypeAdapter(list[LogLine])
ERRORS: dict[int, type[ApplianceError]] = {401: Unauthenticated, 404: NotFound, 409: Conflict}
PREFLIGHT = 409
UNDERSTOOD = 422
TRIES = 5
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 300.0
"""For what the panel itself has to ask, as feeds and hosts."""
LARGEST_PAGE = 200
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A panel and the token for it."""

    client: "Client"

    def get(self, path: str, **query: Any) -> Any:
        """What it gives. Raises what it refuses."""
        return self._send("GET", path, query=query).json()

    def post(self, path: str, body: Any, *, once: bool = False) -> Any:
        """What it answers. With `once` it is sent again when no answer came, under a key by which it is carried out once."""
        return self._send("POST", path, body=body, headers={"Idempotency-Key": str(uuid.uuid4())} if once else None, again=once).json()

    def tell(self, path: str, body: Any) -> None:
        """Send what is answered by nothing. Raises what it refuses."""
        self._send("POST", path, body=body)

    def delete(self, path: str) -> None:
        """Raises what it refuses."""
        self._send("DELETE", path)

    def rows(self, path: str, *, limit: int | None = None, within: str = "", **query: Any) -> list[Any]:
        """The rows of a list, from as many of its pages as it takes; `within` is where they are in an answer that is no list."""
        found: list[Any] = []
        for page in self._pages(path, {**query, "limit": min(LARGEST_PAGE, limit or LARGEST_PAGE)}):
            found += page[within] if within else page
            if limit is not None and len(found) >= limit:
                return found[:limit]
        return found

    def operation(self, operation_id: int) -> Operation:
        """Where an operation stands."""
        return OPERATION.validate_python(self.get(f"/operations/{operation_id}"))

    def lines(self, operation_id: int, after: int) -> Sequence[LogLine]:
        """The lines of its log above an id."""
        return LINES.validate_python(self.get(f"/operations/{operation_id}/log", after=after)["lines"])

    def request(self, kind: str, subject: str, parameters: Mapping[str, Any]) -> Operation:
        """Request an operation, once."""
        body = {"kind": kind, "instance": subject, "parameters": dict(parameters)}
        return OPERATION.validate_python(self.post("/operations", body, once=True))

    def act(self, operation_id: int, what: str) -> Operation:
        """Cancel, approve or retry an operation."""
        return OPERATION.validate_python(self.post(f"/operations/{operation_id}/{what}", {}, once=what == "retry"))

    def cancel(self, operation_id: int) -> None:
        """Ask it to stop."""
        self.act(operation_id, "cancel")

    def is_worker_there(self) -> bool:
        """The panel does not tell; its machine looks after its worker."""
        return True

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        answer = self._send("GET", path, query=query)
        yield answer.json()
        while following := answer.links.get("next", {}).get("url"):
            answer = self._send("GET", following.removeprefix("/api/v1"))
            yield answer.json()

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
    ) -> "Response":
        """Raises NotFound, Conflict, InvalidRequest, PreflightFailed, and ApplianceError for all else, such as no answer."""
        import httpx

        told = {name: value for name, value in (query or {}).items() if value not in (None, "", [])} if query else None
        tries = TRIES if again or method == "GET" else 1
        for left in reversed(range(tries)):
            try:
                answer = self.client.request(method, f"/api/v1{path}", params=told, json=body, headers=headers)
            except httpx.TransportError as error:
                if not left or isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error):
                    raise ApplianceError(f"{self.client.base_url} gives no answer: {error}. {_unknown(method, again)}") from None
                time.sleep(PAUSE_SECONDS)
            else:
                return _accepted(answer)
        raise AssertionError("unreachable")


def _unknown(method: str, again: bool | None) -> str:
    return (
        "Nothing was changed."
        if method == "GET"
        else "It is not known whether it has received the request" + (", sent five times." if again else ".")
    )


def _accepted(answer: "Response") -> "Response":
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        detail, failures = str(problem["detail"]), tuple(map(str, problem.get("failures") or ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ApplianceError(
            f"{answer.url.host} answered {answer.status_code}, and not as an appliance does. See that --url is right."
        ) from None
    if answer.status_code == PREFLIGHT and failures:
        raise PreflightFailed(failures)
    if answer.status_code == UNDERSTOOD:
        raise InvalidRequest(detail, field=problem.get("field"))
    raise ERRORS.get(answer.status_code, ApplianceError)(detail)


def open_remote(url: str, token: str, ca: Path | None) -> Remote:
    """A panel that is reached by HTTPS with a certificate that is believed, or on this machine. Raises InvalidRequest."""
    import httpx

    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.path.strip("/"):
        raise InvalidRequest("--url is the address of a panel, as https://panel.example.org. Nothing was done.", field="url")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise InvalidRequest("The token would travel in the clear: use https://. Nothing was done.", field="url")
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise InvalidRequest(f"{ca} holds no certificate that can be read: {error}. Nothing was done.", field="ca") from None
    headers = {"Authorization": f"Bearer {token}"}
    return Remote(client=httpx.Client(base_url=url.rstrip("/"), headers=headers, verify=context, timeout=PATIENCE_SECONDS))


def read_token(file: str) -> str:
    """The token in a file, from standard input for "-", otherwise APPLIANCE_TOKEN. Raises InvalidRequest."""
    try:
        text = os.environ.get("APPLIANCE_TOKEN", "") if not file else sys.stdin.readline() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}. Nothing was done.", field="token") from None
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise InvalidRequest("No token: give a file with it (--token FILE, - for standard input), or set APPLIANCE_TOKEN.", field="token")
    return token


@dataclass(kw_only=True)
class Chosen:
    """What was said of another machine; it is opened by the command that can use it, and closed at its end."""

    url: str
    token: str
    ca: Path | None
    opened: Remote | None = None

    def open(self) -> Remote:
        """Raises InvalidRequest."""
        if self.opened is None:
            self.opened = open_remote(self.url, read_token(self.token), self.ca)
        return self.opened

    def close(self) -> None:
        """Its connections."""
        if self.opened is not None:
            self.opened.client.close()


CHOSEN: ContextVar[Chosen | None] = ContextVar("chosen", default=None)
"""What this run of the command line was told of another machine; the command that begins sets it."""


def remote() -> Remote | None:
    """The panel that `--url` has chosen; None for this machine. Raises InvalidRequest."""
    chosen = CHOSEN.get()
    return None if chosen is None else chosen.open()
