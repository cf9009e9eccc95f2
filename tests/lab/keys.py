"""Key pairs of ssh: a host's own, root's and the administrator's."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """As ssh writes them."""

    private: str
    public: str

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: SHA256:…"""
        digest = hashlib.sha256(base64.b64decode(self.public.split()[1])).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    def save(self, file: Path) -> Path:
        """Write the private key to `file`, for its owner alone, and the public one beside it."""
        file.touch(mode=0o600)
        file.write_text(self.private)
        file.with_name(f"{file.name}.pub").write_text(f"{self.public}\n")
        return file


def make() -> KeyPair:
    """A new Ed25519 pair."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return KeyPair(private=private, public=key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())
