"""Make restic open a test's repository quickly.

restic tunes the cost of its key derivation to half a second of CPU when it creates a repository, and pays it on every
run. A test makes dozens of runs, so its repository's key is wrapped anew with a cost of almost nothing.
Format: restic's doc/design.rst, "Keys, Encryption and MAC".
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

CHEAP = {"N": 2, "r": 8, "p": 1}
NONCE_BYTES = MAC_BYTES = 16


def make_opening_cheap(repository: Path, password: str) -> None:
    """Replace the only key file of a repository."""
    (file,) = (repository / "keys").iterdir()
    key = json.loads(file.read_bytes())
    wrapped = b64decode(key["data"])
    nonce, body = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:-MAC_BYTES]
    master = _crypted(_derived(password, key), nonce, body)
    key |= CHEAP
    nonce = os.urandom(NONCE_BYTES)
    derived = _derived(password, key)
    body = _crypted(derived, nonce, master)
    key["data"] = b64encode(nonce + body + _mac(derived, nonce, body)).decode()
    content = json.dumps(key).encode()
    file.unlink()
    (file.parent / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _derived(password: str, key: dict[str, Any]) -> bytes:
    return hashlib.scrypt(password.encode(), salt=b64decode(key["salt"]), n=key["N"], r=key["r"], p=key["p"], maxmem=2**30, dklen=64)


def _crypted(derived: bytes, nonce: bytes, body: bytes) -> bytes:
    return Cipher(algorithms.AES256(derived[:32]), modes.CTR(nonce)).encryptor().update(body)


def _mac(derived: bytes, nonce: bytes, body: bytes) -> bytes:
    masked = Cipher(algorithms.AES128(derived[32:48]), modes.ECB()).encryptor().update(nonce)  # noqa: S305 - Poly1305-AES is defined so
    return Poly1305.generate_tag(derived[48:64] + masked, body)
