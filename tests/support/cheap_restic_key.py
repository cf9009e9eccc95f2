"""Make restic open a test's repository quickly.

restic tunes the cost of its key derivation to half a second of CPU when it creates a repository, and pays it on every
run. A test makes dozens of runs, so its repository's keys are wrapped anew with a cost of almost nothing.
Format: restic's doc/design.rst, "Keys, Encryption and MAC".
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

CHEAP = {"N": 2, "r": 8, "p": 1}
NONCE_BYTES = MAC_BYTES = 16


def make_opening_cheap(repository: Path, *passwords: str) -> None:
    """Replace the key files of a repository, each of which one of the passwords opens; nothing may be at work in it meanwhile."""
    for file in list((repository / "keys").iterdir()):
        content = _wrapped_anew(json.loads(file.read_bytes()), passwords)
        file.chmod(0o600)
        file.unlink()
        (file.parent / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _wrapped_anew(key: dict[str, Any], passwords: Iterable[str]) -> bytes:
    wrapped = b64decode(key["data"])
    nonce, body, mac = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:-MAC_BYTES], wrapped[-MAC_BYTES:]
    password, derived = next((one, derived) for one in passwords if _mac(derived := _derived(one, key), nonce, body) == mac)
    master = _crypted(derived, nonce, body)
    key |= CHEAP
    nonce, derived = os.urandom(NONCE_BYTES), _derived(password, key)
    body = _crypted(derived, nonce, master)
    key["data"] = b64encode(nonce + body + _mac(derived, nonce, body)).decode()
    return json.dumps(key).encode()


def _derived(password: str, key: dict[str, Any]) -> bytes:
    return hashlib.scrypt(password.encode(), salt=b64decode(key["salt"]), n=key["N"], r=key["r"], p=key["p"], maxmem=2**30, dklen=64)


def _crypted(derived: bytes, nonce: bytes, body: bytes) -> bytes:
    return Cipher(algorithms.AES256(derived[:32]), modes.CTR(nonce)).encryptor().update(body)


def _mac(derived: bytes, nonce: bytes, body: bytes) -> bytes:
    masked = Cipher(algorithms.AES128(derived[32:48]), modes.ECB()).encryptor().update(nonce)  # noqa: S305 - Poly1305-AES is defined so
    return Poly1305.generate_tag(derived[48:64] + masked, body)
