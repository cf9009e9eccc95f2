"""Certificates of all kinds for tests, made by the library and never by the code under test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    private: PrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def key(self, password: bytes | None = None) -> str:
        protection = BestAvailableEncryption(password) if password else NoEncryption()
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode()


def make(
    name: str,
    now: datetime,
    *,
    issuer: Made | None = None,
    authority: bool = False,
    names: Sequence[x509.GeneralName] | None = None,
    days: float = 90,
    begun_days_ago: float = 1,
    usage: ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    private: PrivateKey | None = None,
) -> Made:
    """A certificate for `name`, signed by itself when there is no issuer."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).public_key(private.public_key())
    builder = builder.issuer_name(issuer.certificate.subject if issuer else subject).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=begun_days_ago)).not_valid_after(now + timedelta(days=days))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    signer = issuer.private if issuer else private
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        alternatives = [x509.DNSName(name)] if names is None else names
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return Made(certificate=builder.sign(signer, SHA256()), private=private)
