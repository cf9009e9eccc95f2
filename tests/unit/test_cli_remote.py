"""The command line against a panel that runs, by its API."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner, Result

from appliance.cli import app
from appliance.cli.remote import TRIES, open_remote
from appliance.domain.operation import OperationStatus
from appliance.errors import ApplianceError, Conflict, InvalidRequest, NotFound
from appliance.wiring import Appliance
from tests.support.operating import await_true, make_appliance
from tests.support.pki import make
from tests.support.receivers import free_port
from tests.support.running_panel import RunningPanel, running_panel
from tests.support.web_world import add_people, add_sales


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Appliance, RunningPanel]]:
    appliance = make_appliance(tmp_path_factory.mktemp("far"))
    add_people(appliance)
    add_sales(appliance)
    panel = running_panel(appliance)
    panel.start()
    yield appliance, panel
    panel.stop()


@pytest.fixture
def appliance(far: tuple[Appliance, RunningPanel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Appliance]:
    """On whose panel Oscar works; this machine has no appliance."""
    appliance, panel = far
    token = appliance.store.tokens.issue(name="cli", user="Oscar", by="root", now=datetime.now(UTC))
    for name, value in (("URL", panel.url), ("TOKEN", token), ("CONFIG", "/nonexistent"), ("HOME", str(tmp_path / "none"))):
        monkeypatch.setenv(f"APPLIANCE_{name}", value)
    yield appliance
    for one in appliance.store.operations.list(status=["queued", "running"]):
        appliance.store.operations.finish(one.id, OperationStatus.CANCELLED, now=datetime.now(UTC))
    assert not (tmp_path / "none").exists()


def run(*argv: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, argv, catch_exceptions=False, input=text)


def told(*argv: str) -> str:
    return run(*argv).stdout


def test_what_there_is_is_listed_and_shown(appliance: Appliance) -> None:  # noqa: ARG001 - its panel is asked
    assert "sales" in told("instance", "list")
    assert [one["name"] for one in json.loads(told("instance", "list", "--json"))] == ["sales"]
    assert "2.7.13" in told("instance", "show", "sales")
    assert "sales-1" in told("recovery-points", "sales")
    assert json.loads(told("pending", "--last", "--json")) == []


def end_as_the_worker_would(appliance: Appliance) -> None:
    await_true(lambda: bool(appliance.store.operations.list(status=["queued"])))
    (operation,) = appliance.store.operations.list(status=["queued"])
    appliance.store.logs.add(operation.id, "the disk has room", step="preflight", now=datetime.now(UTC))
    appliance.store.operations.finish(operation.id, OperationStatus.ROLLED_BACK, now=datetime.now(UTC), cause="It broke.")


def test_an_operation_is_requested_once_followed_and_says_how_it_ended(appliance: Appliance) -> None:
    worker = Thread(target=end_as_the_worker_would, args=(appliance,))
    worker.start()
    answer = run("backup", "sales", "--keep", "daily=7")
    worker.join()
    operation = appliance.store.operations.list(limit=1)[0]
    assert (operation.kind, operation.requested_by, operation.parameters["keep"]["daily"]) == ("backup", "Oscar", 7)
    assert (answer.exit_code, "the disk has room" in answer.stdout, "It broke." in answer.stdout) == (3, True, True)


def test_operations_are_shown_listed_and_cancelled(appliance: Appliance) -> None:
    assert "recorded" in told("backup", "sales", "--detach")
    newest = str(appliance.store.operations.list(limit=1)[0].id)
    assert "backup sales: queued" in told("operation", "show", newest)
    assert [one["id"] for one in json.loads(told("operation", "list", "--limit", "1", "--json"))] == [int(newest)]
    with pytest.raises(Conflict):
        run("upgrade", "sales", "--to", "2.8.6", "--detach")
    assert "asked to stop" in told("operation", "cancel", newest)
    assert run("operation", "follow", newest).exit_code == 130
    assert run("operation", "retry", newest, "--help").exit_code == 0


def test_a_restore_says_what_would_be_lost_or_is_told_not_to(appliance: Appliance) -> None:
    assert run("restore", "sales", "--to", "sales-1", "--yes", "--detach").exit_code == 0
    assert appliance.store.operations.list(limit=1)[0].parameters["point"] == "sales-1"


def test_settings_are_shown_and_a_change_is_asked_about(appliance: Appliance) -> None:
    assert json.loads(told("instance", "settings", "sales", "--json")) == {"language": "en", "time_zone": "UTC"}
    assert "en, fr" in told("instance", "settings", "sales")
    wanted = ["instance", "settings", "sales", "--set", "language=fr", "--set", "time_zone=UTC", "--detach"]
    before = appliance.store.operations.list()
    unsure = run(*wanted, text="n\n")
    assert (unsure.exit_code, "Language: en to fr" in unsure.stdout, "Time zone" in unsure.stdout) == (1, True, False)
    assert appliance.store.operations.list() == before
    assert run(*wanted, text="y\n").exit_code == 0
    newest = appliance.store.operations.list(limit=1)[0]
    assert (newest.kind, newest.requested_by, newest.parameters) == ("configure", "Oscar", {"settings": {"language": "fr"}})


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("language=de", "is one of: en, fr"),
        ("language=en", "These are its settings already"),
        ("colour=red", "There is no setting 'colour'"),
        ("language", "is not of the form key=value"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_anything_is_asked(appliance: Appliance, said: str, error: str) -> None:
    before = appliance.store.operations.list()
    with pytest.raises(ApplianceError, match=error):
        run("instance", "settings", "sales", "--set", said)
    assert appliance.store.operations.list() == before


def test_the_rights_are_those_of_the_token(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ApplianceError, match="takes the role administrator"):
        run("audit", "list")
    token = appliance.store.tokens.issue(name="cli of Alice", user="Alice", by="root", now=datetime.now(UTC))
    monkeypatch.setenv("APPLIANCE_TOKEN", token)
    appliance.store.access.audit(actor="Oscar", action="wave", subject="sales", detail={}, now=datetime.now(UTC))
    assert [one["action"] for one in json.loads(told("audit", "list", "--action", "wave", "--json"))] == ["wave"]


def test_the_token_comes_from_a_file_or_from_here(appliance: Appliance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = appliance.store.tokens.issue(name="file", user="Victor", by="root", now=datetime.now(UTC))
    monkeypatch.delenv("APPLIANCE_TOKEN")
    (tmp_path / "token").write_text(f"{token}\n")
    assert "sales" in told("--token", str(tmp_path / "token"), "instance", "list")
    assert "sales" in run("--token", "-", "instance", "list", text=f"{token}\n").stdout
    for wrong in ([], ["--token", str(tmp_path / "none")]):
        with pytest.raises(InvalidRequest):
            run(*wrong, "instance", "list")


@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["doctor"],
        ["host", "list"],
        ["token", "list"],
        ["panel", "certificate"],
        ["worker"],
        ["instance", "publish", "sales", "--on"],
    ],
)
def test_what_works_only_on_the_machine_itself_says_so(appliance: Appliance, words: list[str]) -> None:  # noqa: ARG001
    with pytest.raises(InvalidRequest, match="only on the appliance's own machine"):
        run(*words)


@pytest.mark.parametrize("url", ["panel.example.org", "ftp://x", "https://", "https://u:p@x", "https://x/sub", "http://panel.example.org"])
def test_an_address_that_is_none_or_not_safe_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was done"):
        open_remote(url, "t", None)


def test_what_is_not_there_is_told_as_here(appliance: Appliance) -> None:  # noqa: ARG001
    with pytest.raises(NotFound):
        run("instance", "show", "nobody")


def test_a_panel_that_does_not_answer_is_asked_again_and_then_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("appliance.cli.remote.time.sleep", pauses.append)
    with pytest.raises(ApplianceError, match="not known whether it has received the request"):
        open_remote(f"http://127.0.0.1:{free_port()}", "t", None).request("backup", "sales", {})
    assert len(pauses) == TRIES - 1


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(InvalidRequest, match="no certificate that can be read"):
        open_remote("https://panel.example.org", "t", tmp_path / "ca.pem")


class Answering(BaseHTTPRequestHandler):
    """No CRMs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[str]:
    """A web server whose certificate is from an authority that only `ca.pem` knows."""
    authority = make("An authority", datetime.now(UTC), authority=True)
    certified = make("localhost", datetime.now(UTC), issuer=authority)
    (tmp_path / "ca.pem").write_text(authority.pem)
    (tmp_path / "server.pem").write_text(certified.key() + certified.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_panels_certificate_is_believed_only_from_a_known_authority(encrypted: str, tmp_path: Path) -> None:
    known = open_remote(encrypted, "t", tmp_path / "ca.pem")
    assert known.rows("/instances") == []
    known.client.close()
    stranger = open_remote(encrypted, "t", None)
    with pytest.raises(ApplianceError, match="certificate verify failed"):
        stranger.rows("/instances")
    stranger.client.close()


def test_what_needs_attention_is_listed_snoozed_and_woken(appliance: Appliance) -> None:
    found = json.loads(told("attention", "list", "--json"))
    key = next(one["key"] for one in found if one["subject"] == "sales")
    assert key in told("attention", "list")
    assert key in told("attention")
    assert "snoozed until" in told("attention", "snooze", key, "--for", "4h")
    assert [one["snoozed_by"] for one in json.loads(told("attention", "list", "--json")) if one["key"] == key] == ["Oscar"]
    assert "in sight again" in told("attention", "wake", key)
    assert appliance.store.snoozes.lasting(datetime.now(UTC)) == {}
    with pytest.raises(NotFound):
        run("attention", "snooze", "sales.nothing-of-the-kind")
    with pytest.raises(InvalidRequest):
        run("attention", "snooze", key, "--for", "30d")
