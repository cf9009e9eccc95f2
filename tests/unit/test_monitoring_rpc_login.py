"""The probe that logs in over JSON-RPC, against a small real server."""

import asyncio
import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import TypeAdapter

from monitoring.probes import CheckedProbe, Probe, run_probe

PASSWORD = "canary-$0-4b1d"
PROOF = base64.b64encode(b"monitor:7:t0ken").decode()


class Interface(BaseHTTPRequestHandler):
    """Knows version 1.0 only, asks for a log-in, and sends its errors with status 200."""

    server: "Server"

    def log_message(self, *_: Any) -> None:
        """Keeps the test's output quiet."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked["method"])
        text = "no JSON" if asked["method"] == "page" else json.dumps(self.answer_to(asked))
        self.send_response(500 if asked["method"] == "crash" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def answer_to(self, asked: dict[str, Any]) -> dict[str, Any]:
        if set(asked) != {"id", "method", "params"}:
            return {"error": ["secret"]}
        if asked["method"] == "login":
            return {"result": [7, "t0ken"] if asked["params"] == ["monitor", {"password": PASSWORD}] else None}
        allowed = self.headers["Authorization"] == f"Session {PROOF}" and asked["params"] in ([], [[], "$unknown"])
        return {"result": []} if allowed else {"error": ["secret"]}


class Server(ThreadingHTTPServer):
    """Remembers which methods were called."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Interface)
        self.asked: list[str] = []


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "monitor_password"
    path.write_text(PASSWORD + "\n")
    return path


def log_in(server: Server, password_file: Path, **more: object) -> CheckedProbe:
    fields = {
        "name": "deep",
        "kind": "jsonrpc_login",
        "version": "1.0",
        "url": f"http://127.0.0.1:{server.server_port}/crm/",
        "username": "monitor",
        "password_file": password_file,
        "login": {"method": "login", "params": ["$username", {"password": "$password"}]},
        "authorization": {"scheme": "Session", "credentials": "$username:$0:$1"},
        "then": {"method": "search", "params": [[], "$unknown"]},
        "logout": {"method": "logout"},
    }
    checked = asyncio.run(run_probe(TypeAdapter(Probe).validate_python(fields | more)))
    assert not any(hidden in checked.detail for hidden in (PASSWORD, "secret", "t0ken"))
    return checked


def test_it_calls_as_the_account_that_logged_in_and_logs_out(server: Server, password_file: Path) -> None:
    checked = log_in(server, password_file)
    assert (checked.healthy, checked.detail) == (True, "logged in; search answered")
    assert server.asked == ["login", "search", "logout"]


def test_a_refused_login_is_unhealthy(server: Server, password_file: Path) -> None:
    password_file.write_text("wrong")
    assert log_in(server, password_file).detail == "the login was refused"
    assert server.asked == ["login"]


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("crash", "crash answered 500 instead of 200"),
        ("page", "the answer of page is not JSON"),
        ("fail", "fail answered with an error"),
    ],
)
def test_what_goes_wrong_behind_the_login_is_unhealthy(server: Server, password_file: Path, method: str, said: str) -> None:
    checked = log_in(server, password_file, then={"method": method, "params": ["x"]})
    assert (checked.healthy, checked.detail) == (False, said)


def test_a_server_that_knows_another_version_says_so_with_an_error(server: Server, password_file: Path) -> None:
    assert log_in(server, password_file, version="2.0").detail == "login answered with an error"


def test_nothing_is_sent_without_the_password(server: Server, tmp_path: Path) -> None:
    assert log_in(server, tmp_path / "absent").detail == "the monitor's password file cannot be read; nothing was sent"
    assert server.asked == []
