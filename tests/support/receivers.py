"""Real receivers of notifications: a mail server and a web server that keep what they were sent."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Keeps every mail that arrives."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's names
        mail = message_from_bytes(envelope.content if isinstance(envelope.content, bytes) else b"", policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 kept"

    def texts(self) -> list[str]:
        return [str(mail["subject"]) + "\n" + text_of(mail) for mail in self.mails]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    assert body is not None
    return str(body.get_content())


@contextmanager
def mail_server(at: str = "127.0.0.1") -> Iterator[tuple[str, Mailbox]]:
    """A mail server, as the address that a channel has; `at` an address of this machine."""
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname=at, port=port)
    controller.start()
    try:
        yield f"mailto://{at}:{port}?from=crm@example.org&to=ops@example.org&mode=insecure", mailbox
    finally:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@dataclass
class Hook:
    """A web server that answers as it is told, and keeps what it was sent."""

    status: int = 200
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    sent: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """The same as they came: headers, in small letters, and text."""
    address: str = ""

    def titles(self) -> list[str]:
        return [str(body["title"]) for _, body in self.requests]


@contextmanager
def web_server(at: str = "127.0.0.1") -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            hook.sent.append(({name.lower(): value for name, value in self.headers.items()}, text))
            self._keep(json.loads(text))

        def do_GET(self) -> None:
            self._keep({})

        def _keep(self, body: dict[str, Any]) -> None:
            hook.requests.append((self.path, body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((at, 0), Handler)
    hook.address = f"{at}:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
