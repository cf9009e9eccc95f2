"""What is remembered of an instance's certificate, and what follows from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.config import load_settings
from appliance.domain.instance import Instance, InstanceState
from appliance.domain.tls import Tls, TlsMode, default_hsts, default_mode, tls_of_json
from appliance.operations.addresses import Site
from appliance.operations.certifying import brought_before, scope_of
from appliance.operations.variables import tls_variables
from tests.support.operating import make_appliance

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def instance(*, port: int = 443, domain: str = "crm.example.org", tls: Tls | None = None) -> Instance:
    return Instance(
        name="sales",
        product="creme",
        release="2.8.6",
        series="2.8",
        state=InstanceState.ACTIVE,
        slot=0,
        address="192.0.2.7",
        port=port,
        domain=domain,
        created_at=NOW,
        tls=tls or Tls(),
    )


def lasting(mode: TlsMode, *, days: float) -> Tls:
    return Tls(mode=mode, certificate="abc", trust="PEM", issued_at=NOW, not_after=NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("encrypted", "port", "domain", "url"),
    [
        (False, 8480, "127.0.0.1", "http://127.0.0.1:8480/"),
        (False, 80, "crm.example.org", "http://crm.example.org/"),
        (True, 443, "crm.example.org", "https://crm.example.org/"),
        (True, 8443, "2001:db8::7", "https://[2001:db8::7]:8443/"),
    ],
)
def test_the_address_is_what_people_type(encrypted: bool, port: int, domain: str, url: str) -> None:
    tls = lasting(TlsMode.OWN, days=90) if encrypted else Tls()
    assert instance(port=port, domain=domain, tls=tls).url == url


def test_the_store_gives_back_what_it_was_given(tmp_path: Path) -> None:
    store = make_appliance(tmp_path).store
    store.instances.add(instance())
    assert store.instances.get("sales").tls == Tls()
    store.instances.protect("sales", lasting(TlsMode.PRIVATE_CA, days=90))
    assert store.instances.get("sales").tls == lasting(TlsMode.PRIVATE_CA, days=90)


def test_what_was_installed_before_is_reached_by_plain_http() -> None:
    assert tls_of_json({"mode": "none"}) == Tls()


@pytest.mark.parametrize(
    ("mode", "life_days", "left_days", "due"),
    [
        (TlsMode.PRIVATE_CA, 90, 31, False),
        (TlsMode.PRIVATE_CA, 90, 29, True),
        (TlsMode.ACME, 45, 16, False),
        (TlsMode.ACME, 45, 14, True),
        (TlsMode.OWN, 90, 1, False),
        (TlsMode.PRIVATE_CA, 90, -1, True),
    ],
)
def test_a_certificate_is_renewed_in_time_and_one_s_own_never(mode: TlsMode, life_days: int, left_days: int, due: bool) -> None:
    assert lasting(mode, days=life_days).is_due(NOW + timedelta(days=life_days - left_days)) is due


@pytest.mark.parametrize(("address", "mode"), [("127.0.0.1", "none"), ("::1", "none"), ("::", "private-ca"), ("192.0.2.7", "private-ca")])
def test_only_the_loopback_address_goes_without(address: str, mode: str) -> None:
    assert default_mode(address) == mode


@pytest.mark.parametrize(
    ("mode", "address", "hsts"),
    [
        ("own", "::", True),
        ("acme", "192.0.2.7", True),
        ("own", "127.0.0.1", False),
        ("private-ca", "::", False),
        ("none", "::", False),
    ],
)
def test_browsers_are_bound_only_to_what_they_will_trust_tomorrow(mode: str, address: str, hsts: bool) -> None:
    assert default_hsts(TlsMode(mode), address) is hsts


@pytest.mark.parametrize(
    ("port", "mode", "http_port"),
    [(443, TlsMode.OWN, 80), (8443, TlsMode.OWN, None), (8443, TlsMode.ACME, 80), (80, TlsMode.NONE, None)],
)
def test_plain_http_is_offered_only_to_be_sent_on_or_to_prove_a_name(port: int, mode: TlsMode, http_port: int | None) -> None:
    assert tls_variables(instance(port=port, tls=lasting(mode, days=90)))["http_port"] == http_port


def test_domains_of_the_authority_are_written_with_commas_in_the_environment(tmp_path: Path) -> None:
    told = {"APPLIANCE_CONFIG": str(tmp_path / "none"), "APPLIANCE_CA_DOMAINS": "example.org, example.net"}
    assert load_settings(told).ca_domains == ("example.org", "example.net")


def test_a_secret_that_is_settled_stays_the_first_one(tmp_path: Path) -> None:
    vault = make_appliance(tmp_path).store.vault
    assert [vault.settle("scope", "name", value) for value in ("one", "two")] == ["one", "one"]
    vault.put("scope-b", "name", "x")
    assert vault.scopes("scope") == ["scope", "scope-b"]
    vault.forget_one("scope", "name")
    assert vault.all("scope") == {}


def test_a_certificate_of_ones_own_comes_back_with_a_crm_that_was_lost(tmp_path: Path) -> None:
    appliance, own = make_appliance(tmp_path), lasting(TlsMode.OWN, days=90)
    lost = instance(tls=own)
    site = Site(address="192.0.2.9", domain=lost.domain, mode=TlsMode.PRIVATE_CA, hsts=False)
    appliance.store.vault.put(scope_of("sales"), "abc.certificate", "PEM")
    assert brought_before(appliance, lost, site, NOW) is None, "its key is not kept"
    appliance.store.vault.put(scope_of("sales"), "abc.key", "PEM")
    assert brought_before(appliance, lost, site, NOW) == own
    assert brought_before(appliance, lost, site, NOW + timedelta(days=91)) is None
    assert brought_before(appliance, lost, replace(site, domain="crm.example.com"), NOW) is None
    assert brought_before(appliance, lost, replace(site, mode=TlsMode.NONE), NOW) is None
    assert brought_before(appliance, instance(tls=lasting(TlsMode.ACME, days=90)), site, NOW) is None
