"""Challenges for passkeys: each for one purpose, in one browser, for five minutes. Nothing is kept of them until one was answered."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken

from appliance.errors import Unauthenticated
from appliance.web.panel import Panel

LIFE_SECONDS = 300
BYTES = 32
PURPOSE = "passkey challenge"
OVER = "That took too long, or began in another browser. Nothing was changed; try again."


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What a passkey signs. `purpose` is what for, `browser` the secret of the browser that it was given to, `user` whose passkey is meant.

    `handle` is what the device is to know the user by, where a passkey is made.
    """

    purpose: str
    browser: str
    value: bytes
    user: str = ""
    handle: bytes = b""

    @property
    def digest(self) -> str:
        """What is kept of one that was answered."""
        return hashlib.sha256(self.value).hexdigest()


def make_challenge(*, purpose: str, browser: str, user: str = "", handle: bytes = b"") -> Challenge:
    """A new one."""
    return Challenge(purpose=purpose, browser=browser, value=secrets.token_bytes(BYTES), user=user, handle=handle)


def seal(panel: Panel, challenge: Challenge) -> str:
    """What a page carries of it and its form brings back; nobody else can read or make one."""
    said = {
        "purpose": f"{PURPOSE}: {challenge.purpose}",
        "browser": _hash(challenge.browser),
        "user": challenge.user,
        "value": urlsafe_b64encode(challenge.value).decode(),
        "handle": urlsafe_b64encode(challenge.handle).decode(),
    }
    return panel.appliance.store.vault.key.encrypt_at_time(json.dumps(said).encode(), _seconds(panel)).decode()


def opened(panel: Panel, sealed: str, *, purpose: str, browser: str, user: str = "") -> Challenge:
    """Give back the challenge that this browser was given for this purpose and user. Raises Unauthenticated."""
    try:
        said = json.loads(panel.appliance.store.vault.key.decrypt_at_time(sealed.encode(), LIFE_SECONDS, _seconds(panel)))
    except (InvalidToken, ValueError):
        raise Unauthenticated(OVER) from None
    expected = {"purpose": f"{PURPOSE}: {purpose}", "browser": _hash(browser), "user": user}
    if not browser or not isinstance(said, dict) or {name: said.get(name) for name in expected} != expected:
        raise Unauthenticated(OVER)
    return Challenge(
        purpose=purpose, browser=browser, user=user, value=urlsafe_b64decode(said["value"]), handle=urlsafe_b64decode(said["handle"])
    )


def end_of(panel: Panel) -> datetime:
    """When every challenge that exists now is over."""
    return panel.clock() + timedelta(seconds=2 * LIFE_SECONDS)


def _hash(browser: str) -> str:
    return hashlib.sha256(browser.encode()).hexdigest()


def _seconds(panel: Panel) -> int:
    return int(panel.clock().timestamp())
