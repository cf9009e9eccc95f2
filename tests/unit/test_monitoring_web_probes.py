"""The probes that speak HTTP, against a small real site."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import TypeAdapter, ValidationError

from monitoring.probes import CheckedProbe, Probe, run_probe
from tests.support.pki import make

PASSWORD = "canary-9f2c"
NOW = datetime.now(UTC)
ROOT = make("A root", NOW, authority=True)
LEAF = make("crm.example", NOW, issuer=ROOT)
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
        elif self.path == "/proto":
            self.answer(200, self.headers.get("X-Forwarded-Proto", "none"))
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
            self.answer(self.server.status, Location="/", Set_Cookie="session=yes; Path=/" + self.server.cookie)
            self.server.referers.append(self.headers["Referer"])
        else:
            self.answer(200, FORM.format(action=""))


class SiteServer(ThreadingHTTPServer):
    """The site with its switches."""

    action = ""
    status = 302
    cookie = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.bodies: list[str] = []
        self.referers: list[str] = []
        self.asked_for: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def site() -> Iterator[SiteServer]:
    yield from serve(SiteServer())


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[SiteServer]:
    server = SiteServer()
    (tmp_path / "site.pem").write_text(LEAF.pem + LEAF.key())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "site.pem")
    context.sni_callback = lambda _, name, __: server.asked_for.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    yield from serve(server)


def serve(server: SiteServer) -> Iterator[SiteServer]:
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


def test_a_site_is_asked_by_its_name_wherever_it_is(site: SiteServer) -> None:
    assert run(kind="http", url="http://crm.example/host", via=site.url, match="^crm.example$").healthy
    assert run(kind="http", url="http://crm.example:8480/host", via=site.url, match="^crm.example:8480$").healthy
    assert run(kind="http", url="http://crm.example/proto", via=site.url, match="^none$").healthy


def test_an_encrypted_site_is_asked_and_verified_by_its_name(encrypted: SiteServer, password_file: Path) -> None:
    there = {"via": encrypted.url, "trust": ROOT.pem}
    assert run(kind="http", url="https://crm.example:8443/host", match="^crm.example:8443$", **there).healthy
    assert set(encrypted.asked_for) == {"crm.example"}
    behind = {"url": "https://crm.example/login/", "then": "https://crm.example/contacts"}
    assert log_in(encrypted, password_file, **behind, **there).detail == "logged in"
    assert run(kind="jsonrpc", url="https://crm.example/rpc/", method="version", equals="7.0.59", **there).healthy


@pytest.mark.parametrize(
    ("url", "trust", "said"),
    [
        ("https://crm.example/host", None, "the certificate is not trusted"),
        ("https://crm.example/host", make("Another root", NOW, authority=True).pem, "the certificate is not trusted"),
        ("https://other.example/host", ROOT.pem, "the certificate is for another name"),
        ("https://127.0.0.1/host", ROOT.pem, "the certificate is for another name"),
    ],
)
def test_a_certificate_that_a_browser_would_refuse_is_refused(encrypted: SiteServer, url: str, trust: str | None, said: str) -> None:
    assert run(kind="http", url=url, via=encrypted.url, trust=trust).detail == said


def test_an_expired_certificate_is_said_to_be_expired(tmp_path: Path) -> None:
    old = make("crm.example", NOW, days=-0.1)
    (tmp_path / "old.pem").write_text(old.pem + old.key())
    server = SiteServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "old.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for running in serve(server):
        via = running.url.replace("http:", "https:")
        assert run(kind="http", url="https://crm.example/", via=via, trust=old.pem).detail == "the certificate has expired"


def test_a_certificate_is_verified_with_the_end_of_the_chain_that_was_given(encrypted: SiteServer) -> None:
    assert run(kind="http", url="https://crm.example/host", via=encrypted.url, trust=LEAF.pem).healthy


def test_what_is_no_certificate_is_no_trust() -> None:
    with pytest.raises(ValidationError, match="not certificates in PEM form"):
        TypeAdapter(Probe).validate_python({"name": "p", "kind": "http", "url": "https://crm.example/", "trust": "hello"})


def test_the_server_behind_the_encryption_is_asked_as_if_it_were_in_front_of_it(site: SiteServer, password_file: Path) -> None:
    site.cookie = "; Secure"
    there = {"via": site.url, "url": "https://crm.example/login/", "then": "https://crm.example/contacts"}
    assert run(kind="http", url="https://crm.example/proto", via=site.url, match="^https$").healthy
    assert log_in(site, password_file, **there).detail == "logged in"
    assert site.referers == ["https://crm.example/login/"]


def test_a_password_never_leaves_an_encrypted_site_in_plain(encrypted: SiteServer, password_file: Path) -> None:
    encrypted.action = "http://crm.example/login/"
    there = {"via": encrypted.url, "trust": ROOT.pem, "url": "https://crm.example/login/"}
    assert "no password was sent" in log_in(encrypted, password_file, **there).detail
    assert encrypted.bodies == []


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
