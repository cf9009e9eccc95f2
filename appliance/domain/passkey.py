"""A passkey (WebAuthn): a key pair of a phone, a computer or a security key, of which the appliance knows the public half."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from appliance.errors import InvalidRequest

LONGEST_NAME = 64
MOST = 20
"""Passkeys of one user."""
ID_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """One of a user. `sign_count` is how often it has signed, as it said last; those that are in several devices say 0.

    `handle` is what the device knows the user by.
    """

    id: str
    user: str
    name: str
    credential: bytes
    public_key: bytes
    handle: bytes
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None


def id_of(credential: bytes) -> str:
    """What people and addresses name a passkey by."""
    return hashlib.sha256(credential).hexdigest()[:ID_LENGTH]


def checked_name(name: str) -> str:
    """The name that somebody gives a passkey. Raises InvalidRequest."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"Give the passkey a name of at most {LONGEST_NAME} characters. Nothing was changed.", field="name")
    return name
