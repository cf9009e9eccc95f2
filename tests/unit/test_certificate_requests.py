"""Requests that bring certificates: what is refused at once, and where the key goes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.instance import Instance, InstanceState
from appliance.domain.tls import Tls, TlsMode
from appliance.errors import Conflict, InvalidRequest
from appliance.operations.addresses import Site, choose_site, is_taken_by_name, place_is_free, preferred_port
from appliance.operations.certifying import authority, certify, handed_over, keep_only
from appliance.operations.machines import machine_of
from appliance.operations.requesting import request, retry
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.pki import make

NOW = datetime.now(UTC)
ROOT = make("A company's root", NOW, authority=True, days=3650)
LEAF = make("crm.example.org", NOW, issuer=ROOT)
OWN = {"tls": "own", "domain": "crm.example.org", "certificate": LEAF.pem + ROOT.pem, "key": LEAF.key()}
EVERYWHERE = "::"


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path)


def install(appliance: Appliance, **parameters: object) -> Any:
    given = {"product": "creme", **parameters}
    return request(appliance, "install", "sales", given, requested_by="Alice", now=NOW)


def everything(appliance: Appliance) -> bytes:
    home = appliance.settings.home
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def add(
    appliance: Appliance, name: str, *, address: str = EVERYWHERE, port: int = 443, domain: str, on: bool = True, slot: int = 0
) -> None:
    tls = Tls(mode=TlsMode.PRIVATE_CA, certificate="c") if on else Tls()
    appliance.store.instances.add(
        Instance(
            name=name,
            product="creme",
            release="2.8.6",
            series="2.8",
            state=InstanceState.ACTIVE,
            slot=slot,
            address=address,
            port=port,
            domain=domain,
            created_at=NOW,
            tls=tls,
        )
    )


def test_a_key_goes_to_the_vault_and_into_no_record(appliance: Appliance) -> None:
    operation = install(appliance, **OWN)
    assert operation.parameters["certificate"] == OWN["certificate"]
    assert operation.parameters["key"] is None
    assert handed_over(appliance, operation.parameters, "key") == LEAF.key()
    assert LEAF.key().splitlines()[1].encode() not in everything(appliance)
    assert "PRIVATE KEY" not in json.dumps(operation.parameters)


def test_a_request_that_is_tried_again_finds_its_key(appliance: Appliance) -> None:
    first = install(appliance, **OWN)
    appliance.store.operations.request_cancel(first.id, now=NOW)
    again = retry(appliance, first.id, requested_by="Alice", now=NOW)
    assert again.parameters["handover"] == first.parameters["handover"]
    appliance.store.operations.request_cancel(again.id, now=NOW)
    appliance.store.vault.forget(again.parameters["handover"])
    with pytest.raises(InvalidRequest, match="kept no longer"):
        retry(appliance, again.id, requested_by="Alice", now=NOW)


@pytest.mark.parametrize(
    ("parameters", "field", "said"),
    [
        (OWN | {"domain": "www.example.org"}, "certificate", "not for www.example.org"),
        (OWN | {"key": ROOT.key()}, "certificate", "belongs to a certificate authority"),
        (OWN | {"key": None}, "key", "--key FILE"),
        (OWN | {"certificate": None}, "certificate", "--certificate FILE"),
        (OWN | {"certificate": LEAF.pem}, "certificate", "is incomplete"),
        (OWN | {"tls": "private-ca"}, "certificate", "with --tls own only"),
        (OWN | {"tls": None}, "certificate", "with --tls own only"),
        (OWN | {"handover": "certificate-authority"}, "handover", "handover"),
        ({"domain": "a..b"}, "domain", "is not the name of a host"),
        ({"tls": "acme", "domain": "localhost"}, "domain", "signs for full names only"),
        ({"tls": "acme", "domain": "192.0.2.7"}, "domain", "signs for full names only"),
        ({"tls": "private-ca", "address": EVERYWHERE}, "domain", "needs the name or address that people will type"),
        ({"hsts": True}, "hsts", "needs TLS"),
        ({"tls": "private-ca", "port": 80}, "port", "Port 80"),
        ({"tls": "ssl"}, "tls", "tls"),
    ],
)
def test_what_does_not_go_together_is_refused_at_once(appliance: Appliance, parameters: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed") as refused:
        install(appliance, **parameters)
    assert (refused.value.field, said in str(refused.value)) == (field, True), str(refused.value)
    assert appliance.store.operations.list() == []
    assert LEAF.key().splitlines()[1] not in str(refused.value)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ({}, ("127.0.0.1", "127.0.0.1", "none", 8480)),
        ({"tls": "private-ca", "domain": "localhost"}, ("127.0.0.1", "localhost", "private-ca", 8480)),
        ({"address": "192.0.2.7"}, ("192.0.2.7", "192.0.2.7", "private-ca", 443)),
        ({"address": EVERYWHERE, "domain": "CRM.example.org"}, (EVERYWHERE, "crm.example.org", "private-ca", 443)),
        ({"address": EVERYWHERE, "tls": "none"}, (EVERYWHERE, "127.0.0.1", "none", 8480)),
        ({"address": EVERYWHERE, "known_domain": "old.example.org"}, (EVERYWHERE, "old.example.org", "private-ca", 443)),
        ({"known_domain": "old.example.org"}, ("127.0.0.1", "127.0.0.1", "none", 8480)),
    ],
)
def test_what_is_left_out_is_what_one_would_expect(appliance: Appliance, wanted: dict[str, Any], chosen: tuple[str, str, str, int]) -> None:
    site = choose_site(appliance, "localhost", wanted)
    assert (site.address, site.domain, site.mode, preferred_port(site, 8480)) == chosen


@pytest.mark.parametrize(
    ("address", "domain", "on", "said"),
    [
        (EVERYWHERE, "one.example.org", True, "one answers as one.example.org"),
        ("192.0.2.7", "one.example.org", True, "one answers as one.example.org"),
        ("192.0.2.7", "192.0.2.7", True, None),
        (EVERYWHERE, "three.example.org", True, None),
        (EVERYWHERE, "three.example.org", False, "belongs to one"),
    ],
)
def test_crms_share_a_port_by_their_names(appliance: Appliance, address: str, domain: str, on: bool, said: str | None) -> None:
    add(appliance, "one", domain="one.example.org")
    site = Site(address=address, domain=domain, mode=TlsMode.OWN if on else TlsMode.NONE, hsts=False)
    machine = machine_of(appliance, "localhost", channel="test")
    problem = place_is_free(appliance, machine, site, 443)()
    assert (problem is None) if said is None else said in (problem or ""), problem
    assert is_taken_by_name(appliance, machine, site, 443) is (domain == "one.example.org")


def test_only_one_crm_on_a_port_can_do_without_a_name(appliance: Appliance) -> None:
    add(appliance, "one", domain="192.0.2.7")
    site = Site(address=EVERYWHERE, domain="192.0.2.8", mode=TlsMode.PRIVATE_CA, hsts=False)
    problem = place_is_free(appliance, machine_of(appliance, "localhost", channel="test"), site, 443)()
    assert "give no name" in (problem or "")


def test_an_authority_is_made_once_and_is_a_secret(appliance: Appliance) -> None:
    made = authority(appliance, NOW)
    assert authority(appliance, NOW + timedelta(days=1)) == made
    assert made.key.splitlines()[1].encode() not in everything(appliance)


def test_certificates_are_kept_apart_from_what_the_crm_may_read(appliance: Appliance) -> None:
    site = Site(address="192.0.2.7", domain="crm.example.org", mode=TlsMode.PRIVATE_CA, hsts=False)
    add(appliance, "sales", domain="crm.example.org")
    first, second = (certify(appliance, "sales", site, {}, NOW) for _ in range(2))
    assert appliance.store.vault.all("sales") == {}
    appliance.store.instances.protect("sales", second)
    keep_only(appliance, appliance.store.instances.get("sales"))
    assert sorted(appliance.store.vault.all("tls:sales")) == [f"{second.certificate}.certificate", f"{second.certificate}.key"]
    assert first.certificate != second.certificate


def test_a_crm_without_tls_has_no_certificate_to_renew(appliance: Appliance) -> None:
    add(appliance, "sales", domain="crm.example.org", on=False)
    with pytest.raises(Conflict, match="does not serve yet"):
        request(appliance, "certificate", "sales", {}, requested_by="Alice", now=NOW)
