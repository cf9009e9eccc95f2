"""Half a log-in: the password was right, and the code of the second factor is still asked for."""

import hashlib
import json

from cryptography.fernet import InvalidToken

from appliance.errors import Unauthenticated
from appliance.store.access import User
from appliance.web.panel import Panel

LIFE_SECONDS = 300
PURPOSE = "half a log-in"
OVER = "That took too long. Log in anew."


def issue(panel: Panel, user: User) -> str:
    """Give what a browser brings back together with the code. It opens nothing by itself, and nobody else can read or make one."""
    said = json.dumps({"purpose": PURPOSE, "user": user.name, "password": _digest(user)}).encode()
    return panel.appliance.store.vault.key.encrypt_at_time(said, _seconds(panel)).decode()


def read(panel: Panel, ticket: str) -> User:
    """Give the user back whose password was right, and is still the same. Raises Unauthenticated."""
    try:
        said = json.loads(panel.appliance.store.vault.key.decrypt_at_time(ticket.encode(), LIFE_SECONDS, _seconds(panel)))
    except (InvalidToken, ValueError):
        raise Unauthenticated(OVER) from None
    known = said if isinstance(said, dict) and said.get("purpose") == PURPOSE else {}
    user = panel.appliance.store.access.find_user(known.get("user", ""))
    if user is None or known["password"] != _digest(user):
        raise Unauthenticated(OVER)
    return user


def _digest(user: User) -> str:
    return hashlib.sha256(user.password_hash.encode()).hexdigest()


def _seconds(panel: Panel) -> int:
    return int(panel.clock().timestamp())
