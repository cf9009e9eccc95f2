"""Prometheus on another machine gets the metrics over TLS and with the token or a login; nobody else learns anything."""

import os
import signal
import socket
import ssl
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from threading import Event

import httpx
import pytest

from appliance.errors import ConfigurationError
from appliance.operations.certifying import authority
from appliance.operations.scraping import Certified, metrics_address, metrics_admission, metrics_login, metrics_token
from appliance.wiring import Appliance
from monitoring.exporter.server import MetricsDoor
from monitoring.serve import serve
from monitoring.targets import write_targets
from tests.support.house import wait_for
from tests.support.operating import make_appliance, now
from tests.support.receivers import free_port

HOST = "127.0.0.1"
LOGIN = "prometheus:a pass:word of Müller"


def basic(login: str) -> str:
    return f"Basic {b64encode(login.encode()).decode()}"


HEADERS = {
    "login": basic(LOGIN),
    "lower case": basic(LOGIN).replace("Basic", "basic"),
    "other password": basic("prometheus:a pass:word of Miller"),
    "other name": basic(LOGIN.upper()),
    "no password": basic("prometheus"),
    "nothing": basic(":"),
    "no base64": "Basic prometheus:a",
    "cut": basic(LOGIN)[:-1],
    "scheme alone": "Basic",
    "login as a token": f"Bearer {LOGIN.encode().decode('ascii', 'ignore')}",
    "other scheme": basic(LOGIN).replace("Basic", "Digest"),
    "no scheme": basic(LOGIN).removeprefix("Basic "),
}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path, metrics_listen=f"{HOST}:{free_port()}")


def asked(appliance: Appliance, tmp_path: Path) -> dict[str, httpx.Response]:
    """What who knocks at the door of a running monitor is answered."""
    address, answers = metrics_address(appliance), dict[str, httpx.Response]()
    assert address is not None
    certified = Certified(appliance=appliance, host=HOST)
    certified.renew()
    door = MetricsDoor(address=address, context=certified.context, admission=metrics_admission(appliance))

    def knock(_: Event) -> None:
        try:
            answers.update(answers_at(address, certified))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    write_targets(tmp_path / "targets.json", [])
    targets, ledger = tmp_path / "targets.json", tmp_path / "ledger.sqlite"
    assert serve(targets=targets, ledger=ledger, listen=(HOST, free_port()), door=door, beside=[knock]) == 0
    return answers


def answers_at(address: tuple[str, int], certified: Certified) -> dict[str, httpx.Response]:
    trusting = ssl.create_default_context(cadata=authority(certified.appliance, now()).certificate)
    headers = HEADERS | {"known": f"Bearer {metrics_token(certified.appliance)}", "wrong": "Bearer wrong"}
    wait_for(lambda: is_open(address), seconds=20)
    silent = socket.create_connection(address)  # whoever says nothing keeps nobody waiting
    with closing(silent), httpx.Client(verify=trusting, base_url=f"https://{HOST}:{address[1]}") as client:
        answers = {who: client.get("/metrics", headers={"Authorization": header}) for who, header in headers.items()}
        answers["nobody"] = client.get("/metrics")
        known = {"Authorization": headers["known"]}
        answers["elsewhere"] = client.get("/healthz", headers=known)
        certified.renew()
        return answers | {"renewed": client.get("/metrics", headers=known)}


def is_open(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_metrics_are_given_to_whoever_knows_the_token_and_to_nobody_else(appliance: Appliance, tmp_path: Path) -> None:
    answers = asked(appliance, tmp_path)
    assert {who: answer.status_code for who, answer in answers.items()} == {
        **dict.fromkeys(("nobody", "wrong", *HEADERS), 401),
        **{"elsewhere": 404, "known": 200, "renewed": 200},
    }
    assert "appliance_build_info" in answers["known"].text
    assert {answer.text for answer in answers.values() if answer.status_code == 401} == {""}
    assert answers["nobody"].headers.get_list("WWW-Authenticate") == ["Bearer"]


def test_a_login_is_let_in_where_there_is_one_and_every_other_is_not(appliance: Appliance, tmp_path: Path) -> None:
    write_login(appliance.settings.metrics_login_file, f"{LOGIN}\n")
    answers = asked(appliance, tmp_path)
    let_in = {who for who, answer in answers.items() if answer.status_code == 200}
    assert let_in == {"known", "renewed", "login", "lower case"}
    assert "appliance_build_info" in answers["login"].text
    refused = [answer for who, answer in answers.items() if who not in {*let_in, "elsewhere"}]
    assert {(answer.status_code, answer.text) for answer in refused} == {(401, "")}
    challenges = ["Bearer", 'Basic realm="metrics", charset="UTF-8"']
    assert all(answer.headers.get_list("WWW-Authenticate") == challenges for answer in refused)


def write_login(file: Path, text: str, mode: int = 0o600) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (LOGIN, 0o640, "chmod 600"),
        (LOGIN, 0o604, "chmod 600"),
        ("", 0o600, "NAME:PASSWORD"),
        ("prometheus", 0o600, "NAME:PASSWORD"),
        (":a password of many", 0o600, "NAME:PASSWORD"),
        ("prometheus:short", 0o600, "16 characters or more"),
        (f"{LOGIN}\n\n", 0o600, "one line"),
        (f"{LOGIN}\0", 0o600, "one line"),
    ],
)
def test_a_login_that_others_can_read_or_guess_is_refused(tmp_path: Path, text: str, mode: int, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{said}.*Nothing was changed"):
        metrics_login(write_login(tmp_path / "metrics-login", text, mode))


def test_a_login_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics-login").write_bytes(b"prometheus:\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        metrics_login(tmp_path / "metrics-login")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        metrics_login(tmp_path)


def test_no_key_of_the_certificate_is_left_on_the_disk(appliance: Appliance) -> None:
    Certified(appliance=appliance, host=HOST).renew()
    assert list(appliance.settings.ledger_file.parent.iterdir()) == []


@pytest.mark.parametrize("listen", ["0.0.0.0:9471", "[::]:9471", "9471", ":9471", "192.0.2.1", "192.0.2.1:x"])
def test_an_address_that_others_cannot_use_is_refused(tmp_path: Path, listen: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write the address by which other machines reach this one.*Nothing was changed"):
        metrics_address(make_appliance(tmp_path, metrics_listen=listen))


def test_other_machines_are_told_nothing_unless_it_is_wanted(tmp_path: Path) -> None:
    assert metrics_address(make_appliance(tmp_path)) is None
