"""The private keys that the appliance logs in with: its own, or one that an administrator gives for a host."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_ssh_private_key

from appliance.errors import InvalidRequest

COMMENT = "crm-appliance"


def make_key() -> str:
    """A new Ed25519 private key in OpenSSH's format."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def check_key(text: str) -> str:
    """Give a private key back, with the ends of lines that ssh reads, if it can be used unattended. Raises InvalidRequest."""
    try:
        load_ssh_private_key(text.encode(), password=None)
    except TypeError:
        raise InvalidRequest(
            "The key is protected by a passphrase, which nobody can type at night. Nothing was changed; give one without.", field="key"
        ) from None
    except Exception:  # noqa: BLE001 - whatever the library says of it, it is not a key
        raise InvalidRequest(
            "That is not a private key in OpenSSH's format. Nothing was changed; `ssh-keygen -p -f FILE` converts an older one.",
            field="key",
        ) from None
    return "\n".join(text.strip().splitlines()) + "\n"


def public_key(private_key: str) -> str:
    """The line for `authorized_keys`."""
    public = load_ssh_private_key(private_key.encode(), password=None).public_key()
    return f"{public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {COMMENT}"
