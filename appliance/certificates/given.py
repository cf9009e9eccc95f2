"""Examine a certificate that an administrator brings, before anything is changed: every refusal says what is wrong and how to mend it."""

import ssl
import warnings
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.certificates.pair import Pair, to_pem
from appliance.domain.names import as_address
from appliance.errors import InvalidRequest

SHORTEST_LIFE = timedelta(days=7)
"""With less than this left a certificate is about to expire and not worth putting in place."""
WEAKEST_RSA_BITS = 2048
LONGEST_CHAIN = 10
DEBIANS_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")


def examine(certificates: str, key: str, domain: str, now: datetime) -> Pair:
    """The chain in order with its key. Raises InvalidRequest (field `certificate` or `key`) for one that visitors would be warned of."""
    given, private = _read_certificates(certificates), _read_key(key)
    leaf = _belonging(given, private)
    _check_time(leaf, now)
    _check_purpose(leaf)
    _check_names(leaf, domain)
    chain = _in_order(leaf, given)
    _check_end(chain)
    return Pair(certificate=to_pem(*chain), key=key.strip() + "\n", trust=to_pem(chain[-1]))


def _read_certificates(text: str) -> list[x509.Certificate]:
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise _refused("holds no certificate in PEM form; it has to have lines that read -----BEGIN CERTIFICATE-----")
    if "PRIVATE KEY-----" in text:
        raise _refused("holds a private key too; give the key apart, so that it is kept secret")
    try:
        found = x509.load_pem_x509_certificates(text.encode())
        for certificate in found:  # read only when they are asked for
            _ = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _refused("cannot be read: it is damaged, cut off or of an unknown kind") from None
    return found


def _read_key(text: str) -> PrivateKeyTypes:
    if "PRIVATE KEY-----" not in text:
        raise _key_refused("is not a private key in PEM form; it has to begin with a line that reads -----BEGIN PRIVATE KEY-----")
    try:
        key = load_pem_private_key(text.encode(), None)
    except TypeError:
        raise _key_refused("is encrypted; take the password off with: openssl pkey -in KEY -out KEY.plain") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _key_refused("cannot be read: it is damaged, cut off or of an unknown kind") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < WEAKEST_RSA_BITS:
        raise _key_refused(f"is an RSA key of {key.key_size} bits; browsers want {WEAKEST_RSA_BITS} or more")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise _key_refused("is of a kind that web servers do not use; make an RSA or an elliptic curve key")
    return key


def _belonging(given: Sequence[x509.Certificate], key: PrivateKeyTypes) -> x509.Certificate:
    wanted = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for certificate in given:
        if certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == wanted:
            return certificate
    raise _key_refused(f"does not match the certificate of {_name(given[0].subject)}; give the key that the certificate was requested with")


def _check_time(leaf: x509.Certificate, now: datetime) -> None:
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if end <= now:
        raise _refused(f"expired on {end:%Y-%m-%d}; get a new one")
    if end - now < SHORTEST_LIFE:
        raise _refused(f"expires on {end:%Y-%m-%d}, in less than {SHORTEST_LIFE.days} days; get a new one")
    if begin > now:
        raise _refused(f"is not valid before {begin:%Y-%m-%d %H:%M} UTC; wait, or set the clock of this machine right")


def _check_purpose(leaf: x509.Certificate) -> None:
    if isinstance(leaf.signature_hash_algorithm, MD5 | SHA1):
        raise _refused("is signed with an algorithm that browsers do not accept any more (SHA-1 or MD5); get a new one")
    extensions = leaf.extensions
    usage = next((each.value for each in extensions if isinstance(each.value, x509.ExtendedKeyUsage)), None)
    if usage is not None and not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usage):
        raise _refused("is not meant for servers; get one with the extended key usage serverAuth")
    constraints = next((each.value for each in extensions if isinstance(each.value, x509.BasicConstraints)), None)
    if constraints is not None and constraints.ca:
        raise _refused("belongs to a certificate authority, not to a server; get one that is issued by it")


def _check_names(leaf: x509.Certificate, domain: str) -> None:
    names = next((each.value for each in leaf.extensions if isinstance(each.value, x509.SubjectAlternativeName)), None)
    if names is None:
        raise _refused("names no host (it has no subject alternative names, and browsers look at nothing else); get a new one")
    address = as_address(domain)
    known = [name.lower() for name in names.get_values_for_type(x509.DNSName)]
    covered = address in names.get_values_for_type(x509.IPAddress) if address else any(_covers(name, domain) for name in known)
    if not covered:
        addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
        raise _refused(f"is for {', '.join([*known, *addresses]) or 'nothing'}, not for {domain}; get one that names it")


def _covers(name: str, domain: str) -> bool:
    """A star stands for one label, the first (RFC 9525)."""
    return name == domain or (name.startswith("*.") and "." in domain and name[2:] == domain.partition(".")[2])


def _in_order(leaf: x509.Certificate, given: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """From the leaf upwards; what does not belong to it is left out."""
    chain = [leaf]
    while len(chain) < LONGEST_CHAIN and not _is_issued_by(chain[-1], chain[-1]):
        issuer = next((one for one in given if one not in chain and _is_issued_by(chain[-1], one)), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain


def _check_end(chain: Sequence[x509.Certificate]) -> None:
    last = chain[-1]
    if _is_issued_by(last, last) or any(_is_issued_by(last, root) for root in _known_roots() if root.subject == last.issuer):
        return
    raise _refused(
        f"is incomplete: {_name(last.issuer)}, which has issued {_name(last.subject)}, is neither in the file nor known to this machine. "
        "Append the intermediate certificate; for a company's own authority append its root too"
    )


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


@cache
def _known_roots() -> tuple[x509.Certificate, ...]:
    """What this machine trusts; some old roots break today's rules and cannot be read."""
    found = []
    context = ssl.create_default_context()
    if DEBIANS_ROOTS.exists():  # OpenSSL looks into a directory there, which does not say what it holds
        context.load_verify_locations(DEBIANS_ROOTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for encoded in context.get_ca_certs(binary_form=True):
            with suppress(ValueError):
                found.append(x509.load_der_x509_certificate(encoded))
    return tuple(found)


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:120] or "an authority without a name"


def _refused(problem: str) -> InvalidRequest:
    return InvalidRequest(f"The certificate {problem}. Nothing was changed.", field="certificate")


def _key_refused(problem: str) -> InvalidRequest:
    return InvalidRequest(f"The key {problem}. Nothing was changed.", field="key")
