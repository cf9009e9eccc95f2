"""The appliance's own authority, and what is said about certificates that administrators bring."""

import ipaddress
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.certificates import Pair, examine, issue, make_authority
from appliance.certificates.authority import Names
from appliance.domain.names import check_domain
from appliance.errors import ConfigurationError, InvalidRequest
from tests.support.pki import Made, make

NOW = datetime.now(UTC).replace(microsecond=0)
DOMAIN = "crm.example.org"
ROOT = make("A company's root", NOW, authority=True, days=3650)
MIDDLE = make("A company's intermediate", NOW, authority=True, days=1800, issuer=ROOT)
LEAF = make(DOMAIN, NOW, issuer=MIDDLE)
AUTHORITY = make_authority("CRM Appliance of a test", NOW)


def verify(tmp_path: Path, pair: Pair, *more: str) -> str:
    """What OpenSSL, which shares no code with us, says of a certificate."""
    (tmp_path / "trust.pem").write_text(pair.trust)
    (tmp_path / "served.pem").write_text(pair.certificate)
    argv = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(tmp_path / "trust.pem"), *more]
    done = subprocess.run([*argv, str(tmp_path / "served.pem")], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (Names(domain=DOMAIN, address="192.0.2.7"), ["-verify_hostname", DOMAIN]),
        (Names(domain=DOMAIN, address="192.0.2.7"), ["-verify_ip", "192.0.2.7"]),
        (Names(domain="2001:db8::7", address="::"), ["-verify_ip", "2001:db8::7"]),
        (Names(domain=f"{'a' * 60}.example.org"), ["-verify_hostname", f"{'a' * 60}.example.org"]),
    ],
)
def test_openssl_accepts_what_the_authority_issues(tmp_path: Path, names: Names, asked: list[str]) -> None:
    assert verify(tmp_path, issue(AUTHORITY, names, NOW), *asked).endswith(": OK\n")


def test_openssl_refuses_another_name(tmp_path: Path) -> None:
    assert (
        "hostname mismatch"
        in verify(tmp_path, issue(AUTHORITY, Names(domain=DOMAIN), NOW), "-verify_hostname", "other.example.org").lower()
    )


def test_the_authority_lives_ten_years_and_signs_no_other_authority() -> None:
    constraints = AUTHORITY.leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert AUTHORITY.leaf.extensions.get_extension_for_class(x509.KeyUsage).critical
    assert timedelta(days=3650) < AUTHORITY.not_after - NOW < timedelta(days=3655)


def test_a_certificate_lives_ninety_days_and_never_longer_than_its_authority() -> None:
    assert issue(AUTHORITY, Names(domain=DOMAIN), NOW).not_after == NOW + timedelta(days=90)
    late = AUTHORITY.not_after - timedelta(days=3)
    assert issue(AUTHORITY, Names(domain=DOMAIN), late).not_after == AUTHORITY.not_after
    with pytest.raises(ConfigurationError, match="has expired"):
        issue(AUTHORITY, Names(domain=DOMAIN), AUTHORITY.not_after)


def test_no_two_certificates_share_a_serial_number_or_a_key() -> None:
    one, other = (issue(AUTHORITY, Names(domain=DOMAIN), NOW) for _ in range(2))
    assert one.leaf.serial_number != other.leaf.serial_number
    assert (one.id, one.key) != (other.id, other.key)


def test_an_authority_for_some_domains_is_worth_nothing_for_others(tmp_path: Path) -> None:
    limited = make_authority("Limited", NOW, domains=["example.org"])
    assert verify(tmp_path, issue(limited, Names(domain=DOMAIN, address="192.0.2.7"), NOW), "-verify_hostname", DOMAIN).endswith(": OK\n")
    for other in ("crm.example.net", "notexample.org", "192.0.2.7"):
        with pytest.raises(InvalidRequest, match=r"signs for example\.org only"):
            issue(limited, Names(domain=other), NOW)
    forged = issue(AUTHORITY, Names(domain="crm.example.net"), NOW)
    private = load_pem_private_key(limited.key.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signer = Made(certificate=limited.leaf, private=private)
    stolen = make("crm.example.net", NOW, issuer=signer)
    assert "permitted subtree violation" in verify(tmp_path, Pair(certificate=stolen.pem, key="", trust=limited.trust))
    assert verify(tmp_path, forged).endswith(": OK\n")


def test_a_key_is_never_shown() -> None:
    assert "PRIVATE" not in repr(AUTHORITY)


def test_a_chain_is_put_in_order_and_what_does_not_belong_is_left_out() -> None:
    stranger = make("stranger.example.org", NOW)
    pair = examine(stranger.pem + ROOT.pem + LEAF.pem + MIDDLE.pem, LEAF.key(), DOMAIN, NOW)
    assert pair.certificate == LEAF.pem + MIDDLE.pem + ROOT.pem
    assert pair.trust == ROOT.pem


@pytest.mark.parametrize(
    ("names", "domain"),
    [
        ([x509.DNSName("*.example.org")], DOMAIN),
        ([x509.DNSName("other.org"), x509.DNSName("CRM.Example.ORG")], DOMAIN),
        ([x509.IPAddress(ipaddress.ip_address("192.0.2.7"))], "192.0.2.7"),
    ],
)
def test_stars_and_addresses_cover_what_browsers_say_they_cover(names: list[x509.GeneralName], domain: str) -> None:
    leaf = make("any", NOW, issuer=ROOT, names=names)
    assert examine(leaf.pem + ROOT.pem, leaf.key(), domain, NOW).leaf == leaf.certificate


CHAIN = MIDDLE.pem + ROOT.pem


def of(**different: object) -> tuple[str, str]:
    leaf = make(DOMAIN, NOW, issuer=MIDDLE, **different)  # type: ignore[arg-type]
    return leaf.pem + CHAIN, leaf.key()


REFUSED = {
    "not PEM": ("hello", LEAF.key(), "certificate", "no certificate in PEM form"),
    "nothing": ("", "", "certificate", "no certificate in PEM form"),
    "a key in the same file": (LEAF.pem + LEAF.key(), LEAF.key(), "certificate", "holds a private key too"),
    "damaged": (LEAF.pem.replace("MII", "MIJ"), LEAF.key(), "certificate", "cannot be read"),
    "key not PEM": (LEAF.pem + CHAIN, "hello", "key", "is not a private key in PEM form"),
    "key is a certificate": (LEAF.pem + CHAIN, LEAF.pem, "key", "is not a private key in PEM form"),
    "key encrypted": (LEAF.pem + CHAIN, LEAF.key(b"secret"), "key", "is encrypted; take the password off"),
    "key damaged": (LEAF.pem + CHAIN, LEAF.key().replace("MI", "XX"), "key", "cannot be read"),
    "key of another": (LEAF.pem + CHAIN, make(DOMAIN, NOW).key(), "key", "does not match the certificate of CN=crm.example.org"),
    "expired": (*of(days=-0.1), "certificate", "expired on"),
    "nearly expired": (*of(days=6.9), "certificate", "in less than 7 days"),
    "not yet valid": (*of(begun_days_ago=-1), "certificate", "is not valid before"),
    "another name": (*of(names=[x509.DNSName("www.example.org")]), "certificate", "is for www.example.org, not for crm.example.org"),
    "a star too high": (*of(names=[x509.DNSName("*.org")]), "certificate", "not for crm.example.org"),
    "no names": (*of(names=[]), "certificate", "names no host"),
    "for clients": (*of(usage=ExtendedKeyUsageOID.CLIENT_AUTH), "certificate", "not meant for servers"),
    "an authority": (MIDDLE.pem + ROOT.pem, MIDDLE.key(), "certificate", "belongs to a certificate authority"),
    "without the intermediate": (LEAF.pem, LEAF.key(), "certificate", "is incomplete: CN=A company's intermediate"),
    "without the root": (LEAF.pem + MIDDLE.pem, LEAF.key(), "certificate", "is incomplete: CN=A company's root"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_certificate_that_visitors_would_be_warned_of_is_refused(why: str) -> None:
    certificate, key, field, said = REFUSED[why]
    with pytest.raises(InvalidRequest, match="Nothing was changed") as refused:
        examine(certificate, key, DOMAIN, NOW)
    assert (refused.value.field, said in str(refused.value)) == (field, True), str(refused.value)
    assert "PRIVATE" not in str(refused.value).replace("BEGIN PRIVATE KEY", "")


def test_a_weak_key_is_refused() -> None:
    weak = make(DOMAIN, NOW, issuer=ROOT, private=rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - that is the point
    with pytest.raises(InvalidRequest, match="RSA key of 1024 bits"):
        examine(weak.pem + ROOT.pem, weak.key(), DOMAIN, NOW)


def test_a_chain_that_ends_below_a_root_of_this_machine_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.certificates.given._known_roots", lambda: (ROOT.certificate,))
    assert examine(LEAF.pem + MIDDLE.pem, LEAF.key(), DOMAIN, NOW).trust == MIDDLE.pem


@pytest.mark.parametrize(
    "name", ["", "a..b", "-a.org", "a-.org", "crm_x.org", "crm.example.org.", "a" * 64, "ü.org", "a b", "1.2.3", "{{ x }}", "*.x.org"]
)
def test_what_is_no_host_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the name of a host"):
        check_domain(name)


@pytest.mark.parametrize(("given", "kept"), [("CRM.Example.ORG ", DOMAIN), ("localhost", "localhost"), ("2001:DB8:0::7", "2001:db8::7")])
def test_a_name_is_kept_in_small_letters(given: str, kept: str) -> None:
    assert check_domain(given) == kept
