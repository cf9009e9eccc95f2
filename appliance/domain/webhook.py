"""Webhooks: where programs are told what happens, and how a message is signed (Standard Webhooks, https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from appliance.domain.channel import check_name
from appliance.domain.event import TYPES
from appliance.errors import InvalidRequest

PREFIX = "whsec_"
SECRET_BYTES = 32
LONGEST_URL = 2000
TEST = "webhook.test"
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""How long to wait after each failure; after the last of them, about three days in all, a message is given up."""


class DeliveryStatus(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after the last attempt."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """An address that is told of these types of events; events up to `queued_up_to` have their messages."""

    name: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    queued_up_to: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message for a webhook; `message` is its id, the same in every attempt. `note` says how the last one went."""

    id: int
    webhook: str
    message: str
    type: str
    at: datetime
    body: str
    status: DeliveryStatus
    attempts: int
    tried_at: datetime | None
    try_at: datetime | None
    note: str


def new_secret() -> str:
    """One that nobody guesses, as receivers know its form."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature_of(secret: str, *, message: str, timestamp: int, body: str) -> str:
    """The header `webhook-signature`: HMAC-SHA256 over id, seconds since 1970 and body. Raises InvalidRequest for no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InvalidRequest("This is no secret of a webhook.", field="secret") from None
    signed = f"{message}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def check_webhook(name: str, url: str, events: Collection[str], *, taken: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The address and the types of events, all for none. Raises InvalidRequest."""
    check_name(name, taken=taken)
    if unknown := sorted(set(events) - set(TYPES)):
        raise InvalidRequest(f"There is no event {unknown[0][:60]!r}; there are {', '.join(TYPES)}. Nothing was changed.", field="events")
    return _checked(url.strip()), tuple(kind for kind in TYPES if not events or kind in events)


def pause_after(failures: int) -> timedelta | None:
    """How long to wait after so many failures of a message, or None to give it up."""
    return PAUSES[failures - 1] if failures <= len(PAUSES) else None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and url.isprintable() and " " not in url
        fits = fits and (parts.port is None or parts.port > 0) and len(url) <= LONGEST_URL
    except ValueError:
        fits, parts = False, urlsplit("")
    if not fits or parts.fragment:
        message = f"A webhook is an address of up to {LONGEST_URL} characters that begins with https:// or http://. Nothing was changed."
        raise InvalidRequest(message, field="url")
    if parts.username is not None or parts.password is not None:
        message = "Leave name and password out of the address, which is shown: the signature proves who sends. Nothing was changed."
        raise InvalidRequest(message, field="url")
    return url
