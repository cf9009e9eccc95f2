"""A certificate by ACME, from a real ACME server (Let's Encrypt's Pebble) by Debian's certbot."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.certificates import issue, make_authority
from appliance.certificates.authority import Names
from tests.playbooks.rig import Rig, Run

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: users, clusters and services are made"),
    pytest.mark.skipif(shutil.which("pebble") is None, reason="needs Debian's package pebble, which bin/test installs"),
]
PORT, PLAIN_PORT, DIRECTORY_PORT, MANAGEMENT_PORT, NAMES_PORT = 24711, 24712, 24714, 24715, 24716
DOMAIN = "crm.example.test"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Pebble, which finds every name at the loopback address."""

    trust: str
    names: subprocess.Popen[bytes]

    def issues_by(self) -> str:
        """The root of what it issues; another one at each start."""
        connection = http.client.HTTPSConnection("127.0.0.1", MANAGEMENT_PORT, context=ssl.create_default_context(cadata=self.trust))
        connection.request("GET", "/roots/0")
        root = connection.getresponse().read().decode()
        connection.close()
        return root


@pytest.fixture(scope="module")
def authority(rig: Rig) -> Iterator[Authority]:
    now = datetime.now(UTC)
    root = make_authority("Of the ACME server itself", now)
    shown = issue(root, Names(domain="localhost", address="127.0.0.1"), now)
    (rig.root / "pebble.pem").write_text(shown.certificate)
    (rig.root / "pebble.key").write_text(shown.key)
    settings = {
        "listenAddress": f"127.0.0.1:{DIRECTORY_PORT}",
        "managementListenAddress": f"127.0.0.1:{MANAGEMENT_PORT}",
        "certificate": str(rig.root / "pebble.pem"),
        "privateKey": str(rig.root / "pebble.key"),
        "httpPort": PLAIN_PORT,
        "tlsPort": 1,
    }
    (rig.root / "pebble.json").write_text(json.dumps({"pebble": settings}))
    off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{NAMES_PORT + 1}", "-defaultIPv6", ""]
    names = start(["pebble-challtestsrv", "-dns01", f"127.0.0.1:{NAMES_PORT}", *off])
    argv = ["pebble", "-config", str(rig.root / "pebble.json"), "-strict", "-dnsserver", f"127.0.0.1:{NAMES_PORT}"]
    server = start(argv)
    wait_for_port(DIRECTORY_PORT)
    yield Authority(trust=root.certificate, names=names)
    for process in (server, names):
        process.terminate()
        process.wait()


def start(argv: list[str]) -> subprocess.Popen[bytes]:
    # Of its own accord it refuses every twentieth nonce; Debian's certbot ends with a defect of its own when that happens twice.
    environment = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}
    return subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.05)
        else:
            return


def play(rig: Rig, playbook: str, authority: Authority, **more: Any) -> Run:
    told = {"mode": "acme", "hsts": True, "certificate": "", "nameless": False, "http_port": PLAIN_PORT}
    crm = rig.variables()["crm"] | {"port": PORT, "domain": DOMAIN, "tls": told}
    directory = f"https://localhost:{DIRECTORY_PORT}/dir"
    acme = {
        "directory": directory,
        "email": "",
        "authorities": authority.trust,
        "renew": more.pop("renew", False),
        "ask": more.pop("ask", True),
    }
    return rig.play(playbook, crm=crm, acme=acme, tls_files={}, **more)


def shown_serial(authority: Authority) -> str:
    """Serial number of the certificate that a browser is shown, which trusts the server's root and nothing else."""
    trusted = ssl.create_default_context(cadata=authority.issues_by())
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as plain, trusted.wrap_socket(plain, server_hostname=DOMAIN) as shown:
        found = shown.getpeercert()
        assert found is not None
        return str(found["serialNumber"])


@pytest.fixture(scope="module")
def site(rig: Rig, authority: Authority) -> Iterator[Rig]:
    assert rig.play("host_prepare").succeeded
    made = replace(rig, name="tpb-acme", port=24720)
    try:
        run = play(made, "instance_create", authority)
        assert run.succeeded, run.output
        yield made
    finally:
        play(made, "instance_remove", authority)


def test_a_certificate_is_issued_and_shown(site: Rig, authority: Authority) -> None:
    assert len(shown_serial(authority)) > 10
    assert play(site, "instance_create", authority).changed == 0


def test_a_renewal_is_shown_at_once(site: Rig, authority: Authority) -> None:
    before = shown_serial(authority)
    run = play(site, "certificate", authority, renew=True)
    assert run.succeeded, run.output
    assert shown_serial(authority) != before


def test_the_key_never_leaves_the_host_s_root(site: Rig) -> None:
    keys = list((site.crm_root / "acme").rglob("privkey*.pem"))
    assert keys
    assert {key.resolve().stat().st_mode & 0o777 for key in keys} == {0o600}
    assert (site.crm_root / "acme" / "etc" / "live").stat().st_mode & 0o777 == 0o700


def test_a_name_that_does_not_lead_here_is_said_to_be_at_fault(site: Rig, authority: Authority) -> None:
    before = shown_serial(authority)
    authority.names.terminate()
    authority.names.wait()
    run = play(site, "certificate", authority, renew=True)
    assert not run.succeeded
    assert f"No certificate was issued for {DOMAIN}: Detail: " in run.output
    assert "on port 80" in run.output
    assert shown_serial(authority) == before
    back = play(site, "certificate", authority, renew=True, ask=False)
    assert (back.succeeded, shown_serial(authority)) == (True, before), "the way back must not need the authority"
