"""A second key of a repository that lies on this machine, which opens it at once.

Whoever opens a repository has to derive a key from the password, which restic makes cost up to half a second of CPU, on each run anew:
people choose passwords that can be guessed. One of random characters cannot be guessed at any speed, so its key may cost nothing.
restic's own key stays as it is, and opens the repository without this one. Format: restic's doc/design.rst, "Keys, Encryption and MAC".
"""

import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305
from pydantic import BaseModel, ConfigDict, ValidationError

SHORTEST_PASSWORD = 32
"""Characters; 32 random letters and digits are 190 bits."""
COST = {"N": 1024, "r": 8, "p": 1}
"""Of scrypt: about three milliseconds, where restic's own costs are about 32768, 8 and 4."""
NONCE_BYTES = MAC_BYTES = 16
SALT_BYTES = 64
ID_DIGITS = 64
MOST_MEMORY_BYTES = 2**30


class KeyFile(BaseModel):
    """One file of restic's folder `keys`: `data` is the master key, encrypted with what scrypt derives from a password."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kdf: str
    N: int
    r: int
    p: int
    salt: str
    data: str

    @property
    def cost(self) -> int:
        """How much work it is to derive, in no unit."""
        return self.N * self.r * self.p


def quick_key(location: Path) -> str | None:
    """Give the id of a quick key that a repository has, None if it has none; restic tries the one that it is hinted at first."""
    return next((name for name, key in _keys(location) if _is_quick(key)), None)


def add_quick_key(location: Path, password: str) -> bool:
    """Let a password open a repository at once, which it opens already; says whether there was no such key yet.

    The new file appears whole or not at all. Raises ValueError for a short password or one that opens nothing, OSError where it cannot
    be written.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"the password has fewer than {SHORTEST_PASSWORD} characters")
    keys = sorted((key for _, key in _keys(location)), key=lambda key: key.cost)
    opened = next(((key, master) for key in keys if (master := open_master(key, password)) is not None), None)
    if opened is None:
        raise ValueError("the password opens no key of it")
    key, master = opened
    if _is_quick(key):
        return False
    _write(location / "keys", wrap_master(key, master, password).model_dump_json().encode())
    return True


def set_aside_damaged(location: Path) -> bool:
    """Rename a quick key that is damaged to what restic passes over, since restic gives up at it; says whether there was one.

    It opens nothing any more. Keys of restic's own are left alone, whatever they are like. Raises OSError.
    """
    damaged = [file for file in _files(location) if len(file.name) == ID_DIGITS and not _is_whole(file) and _seems_quick(file)]
    for file in damaged:
        file.rename(file.with_name(f"{file.name}-damaged"))
    return bool(damaged)


def open_master(key: KeyFile, password: str) -> bytes | None:
    """Give the master key, or None where the password is another one's."""
    wrapped = b64decode(key.data)
    nonce, body, mac = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:-MAC_BYTES], wrapped[-MAC_BYTES:]
    derived = _derived(key, password)
    try:
        Poly1305.verify_tag(_mac_key(derived, nonce), body, mac)
    except InvalidSignature:
        return None
    return _crypted(derived, nonce, body)


def wrap_master(like: KeyFile, master: bytes, password: str) -> KeyFile:
    """Give a quick key for a password, which is otherwise like one that there is."""
    key = like.model_copy(update={**COST, "salt": b64encode(os.urandom(SALT_BYTES)).decode()})
    nonce, derived = os.urandom(NONCE_BYTES), _derived(key, password)
    body = _crypted(derived, nonce, master)
    mac = Poly1305.generate_tag(_mac_key(derived, nonce), body)
    return key.model_copy(update={"data": b64encode(nonce + body + mac).decode()})


def _is_quick(key: KeyFile) -> bool:
    return key.cost <= COST["N"] * COST["r"] * COST["p"]


def _files(location: Path) -> list[Path]:
    folder = location / "keys"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _keys(location: Path) -> Iterator[tuple[str, KeyFile]]:
    """Each key with its id, in the order of ids; what is no whole key is left to restic."""
    with suppress(OSError):
        for file in _files(location):
            with suppress(OSError, ValidationError):
                if _is_whole(file):
                    yield file.name, KeyFile.model_validate_json(file.read_bytes())


def _is_whole(file: Path) -> bool:
    return hashlib.sha256(file.read_bytes()).hexdigest() == file.name


def _seems_quick(file: Path) -> bool:
    try:
        return _is_quick(KeyFile.model_validate_json(file.read_bytes()))
    except ValidationError:
        return False


def _derived(key: KeyFile, password: str) -> bytes:
    return hashlib.scrypt(password.encode(), salt=b64decode(key.salt), n=key.N, r=key.r, p=key.p, maxmem=MOST_MEMORY_BYTES, dklen=64)


def _crypted(derived: bytes, nonce: bytes, body: bytes) -> bytes:
    return Cipher(algorithms.AES256(derived[:32]), modes.CTR(nonce)).encryptor().update(body)


def _mac_key(derived: bytes, nonce: bytes) -> bytes:
    masked = Cipher(algorithms.AES128(derived[32:48]), modes.ECB()).encryptor().update(nonce)  # noqa: S305 - Poly1305-AES is defined so
    return derived[48:64] + masked


def _write(folder: Path, content: bytes) -> None:
    """Write as restic does itself: under a name that it passes over, which becomes the right one when all is on the disk."""
    name = hashlib.sha256(content).hexdigest()
    temporary = folder / f"{name}-tmp-{os.getpid()}"
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / name)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
