"""The probes that speak HTTP, against a small real site."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import TypeAdapter

from monitoring.probes import CheckedProbe, Probe, run_probe

PASSWORD = "canary-9f2c"
FORM = """<form action="/search"><input name=q></form>
<form method=post action="{action}"><input type=hidden name=token value=t0ken><input type="hidden" name="next" value="/">
<input name=username><input type=password name=password></form><p>Version 2.7.13</p>"""


class Site(BaseHTTPRequestHandler):
    """A login page, a page behind it, an RPC, and a page that fails."""

    server: "SiteServer"

    def log_message(self, *_: Any) -> None:
        """Keeps the test's output quiet."""

    def answer(self, status: int, text: str = "", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        logged_in = "session=yes" in self.headers.get("Cookie", "")
        if self.path == "/login/":
            self.answer(200, FORM.format(action=self.server.action))
        elif self.path == "/host":
            self.answer(200, self.headers["Host"])
        elif self.path == "/broken":
            self.answer(500, "secret traceback")
        elif logged_in:
            self.answer(200, "42 contacts")
        else:
            self.answer(302, Location="/login/")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.bodies.append(body)
        if self.path == "/rpc/":
            method = json.loads(body)["method"]
            self.answer(200, json.dumps({"result": "7.0.59"} if method == "version" else {"error": ["secret"]}))
            return
        given = {name: values[0] for name, values in parse_qs(body).items()}
        if given == {"token": "t0ken", "next": "/", "username": "monitor", "password": PASSWORD}:
            self.answer(self.server.status, Location="/", Set_Cookie="session=yes; Path=/")
        else:
            self.answer(200, FORM.format(action=""))


class SiteServer(ThreadingHTTPServer):
    """The site with its switches."""

    action = ""
    status = 302

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.bodies: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def site() -> Iterator[SiteServer]:
    server = SiteServer()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "monitor_password"
    path.write_text(PASSWORD + "\n")
    return path


def run(**fields: object) -> CheckedProbe:
    probe = TypeAdapter(Probe).validate_python({"name": "p", **fields})
    assert PASSWORD not in repr(probe)
    checked = asyncio.run(run_probe(probe))
    assert PASSWORD not in repr(checked)
    assert "secret" not in checked.detail
    return checked


def log_in(site: SiteServer, password_file: Path, **more: object) -> CheckedProbe:
    fields = {"url": site.url + "/login/", "username": "monitor", "password_file": password_file, "csrf_field": "token"}
    behind = {"then": site.url + "/contacts", "then_match": "[0-9]+ contacts"}
    return run(**({"kind": "form_login"} | fields | behind | more))


def test_a_page_with_the_expected_version_is_healthy(site: SiteServer) -> None:
    checked = run(kind="http", url=site.url + "/login/", match=r"Version 2\.7\.13")
    assert (checked.healthy, checked.detail) == (True, "answered 200")
    assert 0 < checked.duration_seconds < 5


def test_a_page_of_another_version_is_unhealthy(site: SiteServer) -> None:
    assert not run(kind="http", url=site.url + "/login/", match=r"Version 2\.8").healthy


def test_a_failing_page_is_told_by_its_status_alone(site: SiteServer) -> None:
    assert run(kind="http", url=site.url + "/broken").detail == "answered 500 instead of 200"


def test_a_redirect_is_an_answer_of_its_own(site: SiteServer) -> None:
    assert run(kind="http", url=site.url + "/contacts", status=302).healthy


def test_a_site_is_asked_by_the_name_in_the_host_header(site: SiteServer) -> None:
    assert run(kind="http", url=site.url + "/host", match="^crm.example$", host_header="crm.example").healthy


def test_a_closed_port_is_no_connection() -> None:
    assert run(kind="http", url="http://127.0.0.1:1/").detail == "no connection"


def test_an_address_that_is_none_is_unhealthy_not_an_exception() -> None:
    assert not run(kind="http", url="nonsense").healthy


def test_a_login_with_token_and_password_is_healthy(site: SiteServer, password_file: Path) -> None:
    checked = log_in(site, password_file)
    assert (checked.healthy, checked.detail) == (True, "logged in")


def test_a_wrong_password_is_refused_although_the_page_answers_200(site: SiteServer, password_file: Path) -> None:
    password_file.write_text("wrong")
    assert log_in(site, password_file).detail == "the login was refused"


def test_a_login_without_its_token_field_sends_nothing(site: SiteServer, password_file: Path) -> None:
    assert log_in(site, password_file, csrf_field="other").detail == "the login form lacks its hidden token"
    assert site.bodies == []


def test_a_password_never_goes_to_another_host(site: SiteServer, password_file: Path) -> None:
    site.action = f"http://localhost:{site.server_port}/login/"
    assert "another host" in log_in(site, password_file).detail
    assert site.bodies == []


def test_a_redirect_that_asks_for_the_password_again_gets_none(site: SiteServer, password_file: Path) -> None:
    site.status = 307
    assert log_in(site, password_file).healthy
    assert len(site.bodies) == 1


def test_a_page_behind_the_login_without_the_expected_text_is_unhealthy(site: SiteServer, password_file: Path) -> None:
    assert "lacks the expected text" in log_in(site, password_file, then_match="organisations").detail


def test_a_missing_password_file_is_said_plainly(site: SiteServer, tmp_path: Path) -> None:
    assert "password file cannot be read" in log_in(site, tmp_path / "absent").detail


def test_a_page_without_a_form_is_said_plainly(site: SiteServer, password_file: Path) -> None:
    assert log_in(site, password_file, url=site.url + "/host").detail == "the login page has no login form"


def test_an_rpc_with_the_expected_result_is_healthy(site: SiteServer) -> None:
    assert run(kind="jsonrpc", url=site.url + "/rpc/", method="version", equals="7.0.59").healthy


def test_an_rpc_with_another_result_names_both(site: SiteServer) -> None:
    assert run(kind="jsonrpc", url=site.url + "/rpc/", method="version", equals="8.0").detail == "expected 8.0, found 7.0.59"


def test_an_rpc_error_with_status_200_is_unhealthy(site: SiteServer) -> None:
    assert run(kind="jsonrpc", url=site.url + "/rpc/", method="create").detail == "create answered with an error"


def test_an_answer_that_is_not_json_is_unhealthy(site: SiteServer) -> None:
    assert not run(kind="jsonrpc", url=site.url + "/login/", method="version").healthy
