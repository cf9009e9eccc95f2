"""The certificate authority that an appliance keeps: made once, trusted by those who choose to, and it signs for CRMs only.

Fields follow RFC 5280 as Python 3.13 and browsers enforce it: critical basic constraints and key usage, key identifiers on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.certificates.pair import Pair, to_pem
from appliance.domain.names import as_address
from appliance.errors import ConfigurationError, InvalidRequest

AUTHORITY_LIFE = timedelta(days=3652)
LEAF_LIFE = timedelta(days=90)
SLOW_CLOCKS = timedelta(hours=1)
"""A certificate is valid from a little before it is made: not every clock is right."""
LONGEST_COMMON_NAME = 64
EVERY_ADDRESS = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a certificate is for: the name or address that people type, and the host's own address if it has one."""

    domain: str
    address: str | None = None

    def alternatives(self) -> list[x509.GeneralName]:
        """Each once."""
        wanted = [self.domain, *([self.address] if self.address and not ip_address(self.address).is_unspecified else [])]
        return [_general_name(name) for name in dict.fromkeys(wanted)]


def make_authority(title: str, now: datetime, *, domains: Sequence[str] = ()) -> Pair:
    """A new authority. With `domains` it can sign for these and names below them only, and for no address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CRM Appliance"),
            x509.NameAttribute(NameOID.COMMON_NAME, title[:LONGEST_COMMON_NAME]),
        ]
    )
    builder = _begun(name, name, key.public_key(), now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    if domains:
        permitted = [x509.DNSName(domain) for domain in domains]
        excluded = [x509.IPAddress(network) for network in EVERY_ADDRESS]
        builder = builder.add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded), critical=True)
    certificate = to_pem(builder.sign(key, SHA256()))
    return Pair(certificate=certificate, key=_key_pem(key), trust=certificate)


def issue(authority: Pair, names: Names, now: datetime) -> Pair:
    """A certificate for a CRM. Raises InvalidRequest for a name it may not sign for, ConfigurationError when the authority has expired."""
    signer, signing_key = authority.leaf, load_pem_private_key(authority.key.encode(), None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - made above
    if signer.not_valid_after_utc <= now:
        raise ConfigurationError(
            "The appliance's own certificate authority has expired. Nothing was changed; bring a certificate of your own."
        )
    alternatives = _permitted(signer, names)
    key = ec.generate_private_key(ec.SECP256R1())
    common_name = names.domain if len(names.domain) <= LONGEST_COMMON_NAME else "CRM"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    life = min(LEAF_LIFE, signer.not_valid_after_utc - now)
    builder = _begun(subject, signer.subject, key.public_key(), now, life)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    signed_by = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    for extension in (
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        x509.SubjectAlternativeName(alternatives),
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signed_by),
    ):
        builder = builder.add_extension(extension, critical=False)
    return Pair(certificate=to_pem(builder.sign(signing_key, SHA256())), key=_key_pem(key), trust=authority.certificate)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - SLOW_CLOCKS).not_valid_after(now + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _permitted(signer: x509.Certificate, names: Names) -> list[x509.GeneralName]:
    """The names, without an address where the authority signs for none."""
    try:
        limits = signer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return names.alternatives()
    domains = [str(each.value) for each in limits.permitted_subtrees or () if isinstance(each, x509.DNSName)]
    if not any(names.domain == domain or names.domain.endswith(f".{domain}") for domain in domains):
        raise InvalidRequest(
            f"The appliance's certificate authority signs for {', '.join(domains)} only, not for {names.domain}. Nothing was changed.",
            field="domain",
        )
    return [x509.DNSName(names.domain)]


def _general_name(name: str) -> x509.GeneralName:
    address = as_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
