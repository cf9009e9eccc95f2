"""A certificate with its chain and its private key, as PEM."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

IDENTIFIER_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Pair:
    """`certificate` begins with the one that is served; `trust` is what a client that knows nothing else verifies it with, or ""."""

    certificate: str
    key: str = field(repr=False)
    trust: str = ""

    @cached_property
    def leaf(self) -> x509.Certificate:
        """The certificate that is served."""
        return x509.load_pem_x509_certificate(self.certificate.encode())

    @property
    def id(self) -> str:
        """Names the certificate, as the beginning of its SHA-256 fingerprint."""
        return identifier(self.leaf)

    @property
    def not_after(self) -> datetime:
        """Until when it is valid."""
        return self.leaf.not_valid_after_utc


def identifier(certificate: x509.Certificate) -> str:
    """The beginning of the SHA-256 fingerprint, in small hexadecimal digits."""
    return certificate.fingerprint(SHA256()).hex()[:IDENTIFIER_LENGTH]


def to_pem(*certificates: x509.Certificate) -> str:
    """One after the other."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)
