"""A provider that people log in by (OpenID Connect): what is asked of whom it names. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from appliance.domain.names import as_address
from appliance.errors import Forbidden, InvalidRequest

ROLES = ("viewer", "operator", "administrator")
"""The least one first."""
LONGEST = 300
LONGEST_USER = 64


@dataclass(frozen=True, kw_only=True)
class LoginProvider:
    """One provider. What is not said of somebody by the claim `role_claim` gives `default_role`; where that is empty, nobody else gets in.

    `domains` are those of the e-mail addresses that may log in; all without any. `makes_users`: who is new becomes a user.
    """

    name: str
    issuer: str
    client_id: str
    role_claim: str = ""
    roles: Mapping[str, str]
    default_role: str = ""
    domains: tuple[str, ...] = ()
    makes_users: bool = False

    def role_for(self, claims: Mapping[str, Any]) -> str:
        """The greatest role that the provider's word gives somebody. Raises Forbidden when it is none."""
        said = claims.get(self.role_claim) if self.role_claim else None
        values = said if isinstance(said, list) else [said]
        given = {self.roles[value] for value in values if isinstance(value, str) and value in self.roles}
        if role := next((role for role in reversed(ROLES) if role in given), self.default_role):
            return role
        raise Forbidden(f"{self.name} knows you, but gives you no role here. Ask an administrator.")

    def demand_domain(self, claims: Mapping[str, Any]) -> None:
        """Raise Forbidden unless the e-mail address, which the provider has verified, lies in one of the domains."""
        if not self.domains:
            return
        email = claims.get("email")
        domain = email.rpartition("@")[2].lower() if isinstance(email, str) and claims.get("email_verified") is True else ""
        if domain not in self.domains:
            raise Forbidden("Your e-mail address is not one that may log in here, or the provider has not verified it.")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who somebody is at a provider. Who `follows` was made by it, and has the role that it says."""

    issuer: str
    subject: str
    user: str
    follows: bool
    since: datetime
    last_used_at: datetime | None


def user_name(claims: Mapping[str, Any]) -> str:
    """What somebody is called here who comes for the first time: as the provider says, or by the subject."""
    said = (claims.get(name) for name in ("preferred_username", "email", "sub"))
    name = next((text.strip() for text in said if isinstance(text, str) and text.strip()), "")
    if not name or len(name) > LONGEST_USER or not name.isprintable():
        raise Forbidden("The provider gives you no name that can be used here. Ask an administrator.")
    return name


def checked(provider: LoginProvider) -> LoginProvider:
    """Give it back if it can be used. Raises InvalidRequest that names the field."""
    for field in ("name", "issuer", "client_id"):
        text = getattr(provider, field)
        if not text or len(text) > LONGEST or not text.isprintable():
            raise InvalidRequest(f"Say the {field.replace('_', ' ')}, in at most {LONGEST} characters. Nothing was changed.", field=field)
    check_address(provider.issuer, field="issuer")
    for role in (*provider.roles.values(), *((provider.default_role,) if provider.default_role else ())):
        if role not in ROLES:
            raise InvalidRequest(f"{role[:40]!r} is no role: {', '.join(ROLES)}. Nothing was changed.", field="roles")
    if not provider.default_role and not (provider.role_claim and provider.roles):
        raise InvalidRequest("Say which role people have, or a claim and what its values give. Nothing was changed.", field="default_role")
    return provider


def check_address(address: str, *, field: str | None = None) -> None:
    """Raise InvalidRequest unless what is said there cannot be heard or changed on the way: HTTPS, or this very machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    here = as_address(host)
    is_here = host == "localhost" or (here is not None and here.is_loopback)
    if not host or parts.username or parts.query or parts.fragment or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
        raise InvalidRequest(f"{address[:80]!r} is no address of a provider: https://…, without more. Nothing was changed.", field=field)


def read_roles(written: Mapping[str, str] | list[str]) -> dict[str, str]:
    """What values of the claim give which role, from "VALUE=ROLE" each. Raises InvalidRequest."""
    pairs = [tuple(one.rpartition("=")[::2]) for one in written] if isinstance(written, list) else list(written.items())
    if wrong := next((value for value, role in pairs if not value or not role), None):
        raise InvalidRequest(f"Write VALUE=ROLE, not {wrong[:40]!r}. Nothing was changed.", field="roles")
    if any(not value for value, _ in pairs):
        raise InvalidRequest("Write VALUE=ROLE. Nothing was changed.", field="roles")
    return {value.strip(): role.strip() for value, role in pairs}
