"""Users and tokens, as an administrator keeps them; the panel and the API do the same."""

import secrets

from appliance.store.tokens import Token
from appliance.store.users import ONE_TIME_BYTES
from appliance.web.access import Principal
from appliance.web.grants import RIGHT
from appliance.web.panel import Panel
from appliance.web.passwords import hash_password

TOKENS = "tokens"
USUAL_DAYS = 365
"""How long a token lasts about which nothing is said."""


def add_user(panel: Panel, principal: Principal, name: str, role: str) -> str:
    """Add a user; gives the one-time password, shown this once. Raises Forbidden, InvalidRequest and Conflict."""
    principal.demand(RIGHT)
    password = secrets.token_urlsafe(ONE_TIME_BYTES)
    panel.appliance.store.users.add(name, role=role, password_hash=hash_password(password), by=principal.name, now=panel.clock())
    return password


def change_role(panel: Panel, principal: Principal, name: str, role: str) -> None:
    """Raises Forbidden, NotFound, InvalidRequest, and Conflict for the last administrator."""
    principal.demand(RIGHT)
    panel.appliance.store.users.change_role(name, role, by=principal.name, now=panel.clock())


def replace_password(panel: Panel, principal: Principal, name: str) -> str:
    """Give a new one-time password of a user, whose browsers are logged out. Raises Forbidden and NotFound."""
    principal.demand(RIGHT)
    password = secrets.token_urlsafe(ONE_TIME_BYTES)
    panel.appliance.store.users.replace_password(name, hash_password(password), by=principal.name, now=panel.clock())
    return password


def remove_user(panel: Panel, principal: Principal, name: str) -> None:
    """Let a user in no more. Raises Forbidden, NotFound, and Conflict for the last administrator."""
    principal.demand(RIGHT)
    panel.appliance.store.users.remove(name, by=principal.name, now=panel.clock())


def tokens(panel: Panel, principal: Principal) -> list[Token]:
    """By name. Raises Forbidden."""
    principal.demand(TOKENS)
    return panel.appliance.store.tokens.list()


def issue_token(panel: Panel, principal: Principal, *, name: str, user: str, scope: str, days: int | None) -> str:
    """Give a new bearer token, shown this once; one of the same name is replaced. Raises Forbidden, NotFound and InvalidRequest."""
    principal.demand(TOKENS)
    return panel.appliance.store.tokens.issue(name=name, user=user, by=principal.name, now=panel.clock(), scope=scope, days=days)


def revoke_token(panel: Panel, principal: Principal, name: str) -> None:
    """Let a token open nothing from now on. Raises Forbidden and NotFound."""
    principal.demand(TOKENS)
    panel.appliance.store.tokens.revoke(name, by=principal.name, now=panel.clock())
