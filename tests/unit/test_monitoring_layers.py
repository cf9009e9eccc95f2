"""The layers below a product's own probes: a port that is open, and a certificate that browsers accept."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from appliance.domain.tls import Tls, TlsMode
from appliance.operations.telling import publish_targets
from monitoring.probes import CheckedProbe, Probe, run_probe
from monitoring.targets import read_targets
from tests.support.pki import make
from tests.support.receivers import free_port
from tests.support.web_world import PanelWorld, add_sales, make_world
from tests.unit.test_monitoring_web_probes import LEAF, NOW, ROOT


def run(**fields: Any) -> CheckedProbe:
    return asyncio.run(run_probe(TypeAdapter(Probe).validate_python({"name": "p", "address": "127.0.0.1", "timeout_seconds": 5, **fields})))


def handshakes(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(connection, server_side=True) as encrypted:
                encrypted.recv(1)
        except OSError:
            connection.close()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Of a server that shows a certificate for crm.example."""
    (tmp_path / "site.pem").write_text(LEAF.pem + LEAF.key())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "site.pem")
    listening = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=handshakes, args=(listening, context), daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_port_is_open_or_closed(port: int) -> None:
    assert run(kind="tcp", port=port).detail == f"port {port} is open"
    closed = free_port()
    assert run(kind="tcp", port=closed).detail == f"nobody listens on port {closed}"
    assert run(kind="tcp", address="nosuch.invalid", port=80).healthy is False


def test_a_certificate_is_one_that_browsers_accept_or_it_is_said_why_not(port: int) -> None:
    told = {"kind": "tls", "port": port, "server_name": "crm.example"}
    assert run(**told, trust=ROOT.pem).detail == "the certificate is valid"
    assert run(**told).detail == "the certificate is not trusted"
    assert run(**told, trust=make("Another root", NOW, authority=True).pem).detail == "the certificate is not trusted"
    assert run(**told | {"server_name": "other.example"}, trust=ROOT.pem).detail == "the certificate is for another name"
    assert run(**told | {"port": free_port()}, trust=ROOT.pem).detail == "no connection"


def test_what_does_not_speak_tls_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def greet() -> None:
            connection, _ = plain.accept()
            connection.sendall(b"220 mail.example.org ESMTP\r\n")
            connection.close()

        thread = Thread(target=greet)
        thread.start()
        found = run(kind="tls", port=plain.getsockname()[1], server_name="crm.example", trust=ROOT.pem)
        thread.join()
    assert found.detail == "no encrypted connection came about"
    assert tmp_path.exists()


def test_what_is_no_certificate_is_no_trust() -> None:
    with pytest.raises(ValidationError, match="not certificates in PEM form"):
        run(kind="tls", port=443, server_name="crm.example", trust="hello")


@pytest.fixture
def world(tmp_path: Path) -> PanelWorld:
    return make_world(tmp_path)


def test_every_crm_is_watched_in_layers_and_the_certificate_of_one_that_has_one(world: PanelWorld) -> None:
    add_sales(world.appliance, name="private", slot=1)
    store = world.appliance.store
    store.instances.protect("private", replace(Tls(), mode=TlsMode.OWN, trust=ROOT.pem))
    publish_targets(world.appliance)
    found = {target.crm: target.probes for target in read_targets(world.appliance.settings.targets_file).targets}
    assert list(found["sales"])[:3] == ["tcp", "live", "ready"]
    assert list(found["private"])[:4] == ["tcp", "tls", "live", "ready"]
