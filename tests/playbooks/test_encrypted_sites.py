"""Sites behind TLS, several on one address: what browsers see, what attackers get, and who is named when nginx is broken."""

import http.client
import os
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.certificates import Pair, issue, make_authority
from appliance.certificates.authority import Names
from tests.playbooks.rig import Answer, Rig, Run

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="needs root: users, clusters and services are made")]
PORT, PLAIN_PORT = 24743, 24780
NOW = datetime.now(UTC)
AUTHORITY = make_authority("CRM Appliance of the playbook tests", NOW)


@dataclass(kw_only=True)
class Site:
    """An instance with a name of its own on an address that it shares."""

    rig: Rig
    domain: str
    pair: Pair
    hsts: bool = False

    def play(self, playbook: str, **more: object) -> Run:
        files = {"certificate": self.pair.certificate, "key": self.pair.key}
        places = {name: self.rig.root / "secrets" / f"tls-{self.rig.name}-{name}" for name in files}
        for name, text in files.items():
            places[name].write_text(text)
        tls = {"mode": "private-ca", "hsts": self.hsts, "certificate": self.pair.id, "nameless": False, "http_port": PLAIN_PORT}
        crm = self.rig.variables()["crm"] | {"port": PORT, "domain": self.domain, "tls": tls}
        return self.rig.play(playbook, crm=crm, tls_files={name: str(place) for name, place in places.items()}, **more)

    def done(self, playbook: str, **more: object) -> Run:
        run = self.play(playbook, **more)
        assert run.succeeded, run.output
        assert self.pair.key.splitlines()[1] not in run.output
        return run


def context(trust: str = AUTHORITY.certificate) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=trust)
    made.set_alpn_protocols(["h2", "http/1.1"])
    return made


def shake_hands(name: str | None, made: ssl.SSLContext | None = None) -> dict[str, Any]:
    """What a client learns before it asks for anything."""
    with (
        socket.create_connection(("127.0.0.1", PORT), timeout=10) as plain,
        (made or context()).wrap_socket(plain, server_hostname=name) as s,
    ):
        shown = s.getpeercert(binary_form=True)
        return {"version": s.version(), "cipher": s.cipher(), "protocol": s.selected_alpn_protocol(), "certificate": shown}


def get(path: str, *, name: str, host: str | None = None, encrypted: bool = True) -> Answer:
    """Ask for a page as a browser would that finds every name at the loopback address."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT if encrypted else PLAIN_PORT, timeout=20)
    connection.connect()
    if encrypted:
        connection.sock = ssl.create_default_context(cadata=AUTHORITY.certificate).wrap_socket(connection.sock, server_hostname=name)
    connection.request("GET", path, headers={"Host": host or name})
    response = connection.getresponse()
    answer = Answer(status=response.status, headers=dict(response.headers), body=response.read().decode())
    connection.close()
    return answer


@pytest.fixture(scope="module")
def sites(rig: Rig) -> Iterator[dict[str, Site]]:
    assert rig.play("host_prepare").succeeded
    made = {
        name: Site(
            rig=replace(rig, name=f"tpb-{name}", port=24600 + 30 * number),
            domain=f"{name}.example.test",
            pair=issue(AUTHORITY, Names(domain=f"{name}.example.test"), NOW),
            hsts=name == "strict",
        )
        for number, name in enumerate(("plain", "strict"))
    }
    try:
        for site in made.values():
            site.done("instance_create")
        yield made
    finally:
        for site in made.values():
            site.play("instance_remove")
    assert not list((rig.root / "nginx.d").iterdir())


@pytest.fixture(scope="module")
def serving(sites: dict[str, Site]) -> Site:
    """Ledgerly behind one of the names."""
    site = sites["strict"]
    first = {"release": site.rig.release("1.1"), "deployment": site.rig.deployment("0001-1", "1.1")}
    site.done("release_build", **first)
    site.done("deployment_create", **first, database_source="empty")
    site.done("product_steps", **first, steps=site.rig.product["install"])
    site.done("deployment_start", **first)
    site.done("deployment_switch", **first, leave_maintenance=True)
    return site


@pytest.mark.parametrize("name", ["plain", "strict"])
def test_each_name_on_a_shared_address_shows_its_own_certificate(sites: dict[str, Site], name: str) -> None:
    shown = shake_hands(sites[name].domain)["certificate"]
    assert ssl.DER_cert_to_PEM_cert(shown) == sites[name].pair.certificate


def test_an_authority_that_is_not_trusted_is_refused_by_a_browser(sites: dict[str, Site]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(sites["plain"].domain, context(make_authority("Another", NOW).certificate))


def test_today_s_protocols_are_spoken(sites: dict[str, Site]) -> None:
    seen = shake_hands(sites["plain"].domain)
    assert (seen["version"], seen["protocol"]) == ("TLSv1.3", "h2")


def test_forward_secret_ciphers_alone_are_spoken_in_tls_1_2(sites: dict[str, Site]) -> None:
    made = context()
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shake_hands(sites["plain"].domain, made)["cipher"][0].startswith("ECDHE-ECDSA-")
    made.set_ciphers("ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        shake_hands(sites["plain"].domain, made)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_yesterdays_protocols_are_refused(sites: dict[str, Site], version: ssl.TLSVersion) -> None:
    made = context()
    made.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version, made.maximum_version = version, version
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        shake_hands(sites["plain"].domain, made)


def test_no_session_ticket_is_given_out(sites: dict[str, Site]) -> None:
    argv = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-servername", sites["plain"].domain, "-tls1_2"]
    done = subprocess.run(argv, input="", capture_output=True, text=True, check=False, timeout=20)
    assert "New, TLSv1.2" in done.stdout
    assert "TLS session ticket" not in done.stdout


@pytest.mark.usefixtures("sites")
@pytest.mark.parametrize("name", ["unknown.example.test", None])
def test_a_name_that_no_site_has_gets_no_certificate(name: str | None) -> None:
    made = context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        shake_hands(name, made)


def test_a_request_for_another_name_than_the_certificate_s_is_misdirected(sites: dict[str, Site]) -> None:
    assert get("/", name=sites["plain"].domain, host="unknown.example.test").status == 421


def test_plain_http_is_sent_to_https_and_an_unknown_name_nowhere(sites: dict[str, Site]) -> None:
    answer = get("/login?next=/x", name=sites["plain"].domain, encrypted=False)
    assert (answer.status, answer.headers["Location"]) == (301, f"https://plain.example.test:{PORT}/login?next=/x")
    assert get("/", name="unknown.example.test", encrypted=False).status == 404


def test_strict_transport_security_is_said_where_it_is_wanted_also_during_maintenance(sites: dict[str, Site]) -> None:
    answers = {name: get("/", name=site.domain) for name, site in sites.items()}
    assert answers["plain"].status == 503
    told = {name: answer.headers.get("Strict-Transport-Security") for name, answer in answers.items()}
    assert told == {"plain": None, "strict": "max-age=63072000"}


def test_the_key_is_for_root_alone(sites: dict[str, Site]) -> None:
    site = sites["plain"]
    places = [site.rig.crm_root / "tls", site.rig.crm_root / "tls" / site.pair.id, site.rig.crm_root / "tls" / site.pair.id / "key.pem"]
    assert [(place.stat().st_uid, place.stat().st_mode & 0o777) for place in places] == [(0, 0o700), (0, 0o700), (0, 0o600)]


def test_the_second_run_changes_nothing(sites: dict[str, Site]) -> None:
    assert sites["plain"].done("instance_create").changed == 0
    assert sites["plain"].done("certificate").changed == 0


def test_a_certificate_is_replaced_and_the_one_before_removed(sites: dict[str, Site]) -> None:
    site, before = sites["plain"], sites["plain"].pair
    site.pair = issue(AUTHORITY, Names(domain=site.domain), NOW + timedelta(seconds=1))
    site.done("certificate")
    assert ssl.DER_cert_to_PEM_cert(shake_hands(site.domain)["certificate"]) == site.pair.certificate
    assert [place.name for place in (site.rig.crm_root / "tls").iterdir()] == [site.pair.id] != [before.id]


def test_the_crm_serves_and_is_told_that_it_is_encrypted(serving: Site) -> None:
    answer = get("/login", name=serving.domain)
    assert (answer.status, "Version 1.1" in answer.body) == (200, True)
    assert get("/login", name=serving.domain).headers["Strict-Transport-Security"] == "max-age=63072000"
    assert get("/static/style.css", name=serving.domain).headers["Strict-Transport-Security"] == "max-age=63072000"


@pytest.fixture(scope="module")
def second(serving: Site) -> dict[str, Any]:
    """A deployment that could take over."""
    made = {"release": serving.rig.release("1.1"), "deployment": serving.rig.deployment("0002-2", "1.1")}
    serving.done("deployment_create", **made, database_source="empty")
    return {**made, "previous": serving.rig.deployment("0001-1", "1.1")}


@pytest.fixture
def foreign(rig: Rig) -> Iterator[Path]:
    """A site that somebody else has written, and wrongly."""
    file = rig.root / "nginx.d" / "zzz-foreign.conf"
    file.write_text("server {\n  listen 127.0.0.1:24799;\n  nonsense on;\n}\n")
    yield file
    file.unlink()


@pytest.mark.parametrize(
    ("playbook", "more"),
    [("deployment_switch", {}), ("maintenance", {"maintenance_state": "on", "stop_deployment": True}), ("certificate", {})],
)
def test_a_broken_foreign_site_is_named_before_anything_is_done(
    serving: Site, second: dict[str, Any], foreign: Path, playbook: str, more: dict[str, Any]
) -> None:
    run = serving.play(playbook, **second, **more)
    assert not run.succeeded
    assert f"{foreign}, line 3, is broken. Nothing was moved" in run.output
    assert str((serving.rig.crm_root / "current").readlink()) == "deployments/0001-1"
    assert get("/login", name=serving.domain).status == 200


def test_the_way_back_needs_no_reload_where_nothing_was_moved(serving: Site, foreign: Path) -> None:
    assert foreign.exists()
    first = {"release": serving.rig.release("1.1"), "deployment": serving.rig.deployment("0001-1", "1.1")}
    serving.done("maintenance", **first, maintenance_state="on", stop_deployment=False)
    serving.done("deployment_switch", **first, leave_maintenance=True)
    assert get("/login", name=serving.domain).status == 200


def test_a_deployment_that_nginx_cannot_load_is_taken_back_before_nginx_sees_it(serving: Site, second: dict[str, Any]) -> None:
    (Path(second["deployment"]["directory"]) / "nginx.conf").write_text("nonsense on;\n")
    run = serving.play("deployment_switch", **second)
    assert (run.succeeded, "nginx cannot load the deployment 0002-2" in run.output) == (False, True), run.output
    assert str((serving.rig.crm_root / "current").readlink()) == "deployments/0001-1"
    assert get("/login", name=serving.domain).status == 200
