"""A real CRM behind TLS: people log in, certificates are renewed and replaced while they work, and keys are nowhere to be read."""

import asyncio
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from monitoring.probes.login_form import find_login_form
from monitoring.probes.web import Detour, trusted_certificates
from tests.conftest import OLD
from tests.support.house import House, wait_for
from tests.support.pki import make

NAME, DOMAIN = "trial-tls", "crm.example.test"
NOW = datetime.now(UTC)
ROOT = make("A company's root", NOW, authority=True, days=3650)
LEAF = make(DOMAIN, NOW, issuer=ROOT)


@dataclass(frozen=True, kw_only=True)
class Encrypted:
    """The CRM, its port and what the appliance's authority is known by."""

    house: House
    port: int
    authority: str

    @property
    def url(self) -> str:
        return f"https://{DOMAIN}:{self.port}"

    def browser(self, trust: str) -> httpx.AsyncClient:
        """Somebody's browser, in which the name leads to this machine."""
        transport = Detour(httpx.URL(self.url), httpx.URL(f"https://127.0.0.1:{self.port}"), trusted_certificates(trust))
        return httpx.AsyncClient(transport=transport, base_url=self.url, trust_env=False, timeout=30)

    def shown(self) -> str:
        """The certificate that visitors are shown."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        with plain, context.wrap_socket(plain, server_hostname=DOMAIN) as connection:
            return ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True) or b"")

    def status(self, trust: str) -> int:
        """Of the log-in page."""

        async def ask() -> int:
            async with self.browser(trust) as browser:
                return (await browser.get("/creme_login/")).status_code

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def encrypted(house: House) -> Encrypted:
    house.done("install", "creme", "--name", NAME, "--release", OLD, "--set", f"domain={DOMAIN}", "--tls", "private-ca")
    instance = house.appliance.store.instances.get(NAME)
    assert instance.url == f"https://{DOMAIN}:{instance.port}/"
    return Encrypted(house=house, port=instance.port, authority=house.done("ca", "show"))


async def log_in(encrypted: Encrypted, password: str) -> tuple[httpx.Response, httpx.Response]:
    async with encrypted.browser(encrypted.authority) as browser:
        page = await browser.get("/creme_login/")
        form = find_login_form(page.text, "password")
        assert form is not None
        fields = form.hidden | {"username": "root", "password": password}
        answer = await browser.post("/creme_login/", data=fields, headers={"Referer": str(page.url)})
        return answer, await browser.get("/persons/contacts")


def test_people_log_in_over_https_and_their_cookies_stay_there(encrypted: Encrypted) -> None:
    password = encrypted.house.done("secret", NAME, "admin_password").strip()
    answer, contacts = asyncio.run(log_in(encrypted, password))
    assert (answer.status_code, contacts.status_code, "content-list-view-persons-contact" in contacts.text) == (302, 200, True)
    cookies = answer.headers.get_list("set-cookie")
    assert cookies
    assert all("Secure" in cookie for cookie in cookies)


def test_the_monitor_sees_the_crm_and_the_end_of_its_certificate(encrypted: Encrypted) -> None:
    port = int(encrypted.house.settings.monitor_listen.rpartition(":")[2])
    for target in ("service", "tcp", "tls", "deep"):
        wait_for(
            lambda target=target: f'appliance_probe_up{{crm="{NAME}",target="{target}"}} 1' in encrypted.house.get("/metrics", port=port)[2]
        )
    end = f'appliance_certificate_not_after_timestamp_seconds{{crm="{NAME}",purpose="site"}} '
    wait_for(lambda: end in encrypted.house.get("/metrics", port=port)[2])
    told = next(line for line in encrypted.house.get("/metrics", port=port)[2].splitlines() if line.startswith(end))
    assert 89 < (float(told.rpartition(" ")[2]) - time.time()) / 86400 < 91


def test_http_on_the_port_of_https_leads_to_https(encrypted: Encrypted) -> None:
    answer = httpx.get(f"http://127.0.0.1:{encrypted.port}/x", headers={"Host": f"{DOMAIN}:{encrypted.port}"}, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{encrypted.url}/x")


def test_a_renewal_is_noticed_by_nobody(encrypted: Encrypted) -> None:
    before, seen, stop = encrypted.shown(), set[int](), threading.Event()

    def visit() -> None:
        while not stop.is_set():
            seen.add(encrypted.status(encrypted.authority))

    visitor = threading.Thread(target=visit)
    visitor.start()
    encrypted.house.done("certificate", "renew", NAME)
    stop.set()
    visitor.join()
    assert (seen, encrypted.shown() != before) == ({200}, True)


def test_a_certificate_that_does_not_fit_is_refused_at_once(encrypted: Encrypted, tmp_path: Path) -> None:
    other = make("other.example.test", NOW, issuer=ROOT)
    (tmp_path / "certificate.pem").write_text(other.pem + ROOT.pem)
    (tmp_path / "key.pem").write_text(other.key())
    given = ["--certificate", str(tmp_path / "certificate.pem"), "--key", str(tmp_path / "key.pem")]
    ended = encrypted.house.command("certificate", "replace", NAME, *given)
    assert (ended.returncode, f"not for {DOMAIN}" in ended.stderr) == (2, True), ended.stderr
    ended = encrypted.house.command("install", "creme", "--name", "trial-x", "--set", f"domain={DOMAIN}", "--tls", "own", *given)
    assert (ended.returncode, f"not for {DOMAIN}" in ended.stderr) == (2, True), ended.stderr


def test_one_s_own_certificate_takes_its_place_and_its_key_is_nowhere_to_be_read(encrypted: Encrypted, tmp_path: Path) -> None:
    (tmp_path / "certificate.pem").write_text(LEAF.pem + ROOT.pem)
    (tmp_path / "key.pem").write_text(LEAF.key())
    given = ["--certificate", str(tmp_path / "certificate.pem"), "--key", str(tmp_path / "key.pem")]
    encrypted.house.done("certificate", "replace", NAME, *given)
    assert (encrypted.shown(), encrypted.status(ROOT.pem)) == (LEAF.pem, 200)
    secret = LEAF.key().splitlines()[1].encode()
    settings = encrypted.house.settings
    kept = settings.crm_root / NAME / "tls"
    places = [settings.home, settings.etc, settings.log, settings.run, settings.crm_root]
    written = [
        file for place in places for file in place.rglob("*") if file.is_file() and not file.is_symlink() and kept not in file.parents
    ]
    assert [str(file) for file in written if secret in file.read_bytes()] == []
    assert not any(secret in line for line in encrypted.house.watch.seen)
    assert encrypted.house.appliance.store.vault.scopes("handover:") == []


def test_a_certificate_of_one_s_own_is_not_renewed_by_the_appliance(encrypted: Encrypted) -> None:
    ended = encrypted.house.command("certificate", "renew", NAME)
    assert (ended.returncode, "appliance certificate replace" in ended.stderr) == (2, True), ended.stderr


def test_nothing_is_left_of_a_removed_crm(encrypted: Encrypted) -> None:
    encrypted.house.done("instance", "remove", NAME, "--yes", "--no-final-backup", "--purge")
    assert encrypted.house.appliance.store.vault.scopes(f"tls:{NAME}") == []
    assert not (encrypted.house.settings.crm_root / NAME).exists()
