"""Log in by a provider (OpenID Connect): the authorization code flow, with PKCE, state and nonce."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from cryptography.fernet import InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from appliance.domain.login_provider import LoginProvider, check_address, user_name
from appliance.domain.names import as_address, origin
from appliance.errors import ConfigurationError, Conflict, Forbidden, InvalidRequest, NotFound, Unauthenticated
from appliance.operations.login_provider import ProviderFailed, ask, metadata_of
from appliance.store.access import User
from appliance.web.confirming import LASTS
from appliance.web.panel import Panel
from appliance.web.passwords import hash_password
from appliance.web.sessions import same

RIGHT = "login-provider"
CALLBACK = "/login/provider/callback"
LIFE_SECONDS = 600
PURPOSE = "log-in by a provider"
NEEDED_AT_THE_END = ("token_endpoint", "jwks_uri", "userinfo_endpoint", "token_endpoint_auth_methods_supported")
LONGEST_CARRIED = 1200
"""Characters: sealed, with all else of the log-in, they stay far below the 4096 of a cookie."""
ALGORITHMS = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)]
"""Signatures that the provider alone can make: neither none at all, nor one by the secret that both know."""
LEEWAY_SECONDS = 60
TLS_PORT = 443
OVER = "The log-in took too long, or began in another browser. Nothing was changed; begin anew."
REFUSED = "What the provider says of you cannot be trusted ({why}). Nobody was logged in; tell an administrator."


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A log-in that is under way at the provider; the browser carries it, sealed, with what the provider said of itself at first."""

    state: str
    nonce: str
    verifier: str
    address: str
    issuer: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Who has come back. `is_fresh`: the provider has just asked who it is."""

    user: User
    address: str
    is_fresh: bool


def demand_provider(panel: Panel) -> LoginProvider:
    """The one that is set. Raises NotFound."""
    if (provider := panel.appliance.store.login_providers.find()) is None:
        raise NotFound("No provider is set here.")
    return provider


def panel_address(panel: Panel) -> str:
    """How browsers reach this panel, as the settings say. Raises ConfigurationError where they do not."""
    settings = panel.appliance.settings
    if settings.panel_domain:
        return origin("https", settings.panel_domain.lower(), TLS_PORT)
    host, _, port = settings.panel_listen.rpartition(":")
    address = as_address(host.strip("[]"))
    if address is not None and address.is_unspecified:
        raise ConfigurationError("The panel has no address of its own in the settings: set panel_domain. Log in by password.")
    return origin("http", host.strip("[]"), int(port))


def begin(panel: Panel, provider: LoginProvider, *, address: str, is_anew: bool) -> tuple[str, Flow]:
    """Where the browser goes, and what it brings back; `is_anew` has the provider ask once more who it is. Raises ProviderFailed."""
    metadata = metadata_of(provider.issuer)
    flow = Flow(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        address=address,
        issuer=provider.issuer,
        metadata=_carried(metadata),
    )
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": panel_address(panel) + CALLBACK,
        "scope": "openid profile email",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": create_s256_code_challenge(flow.verifier),
        "code_challenge_method": "S256",
    } | ({"prompt": "login", "max_age": "0"} if is_anew else {})
    return str(add_params_to_uri(metadata["authorization_endpoint"], list(asked.items()))), flow


def _carried(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the end of a log-in needs of it; nothing where it is too long for a cookie, so that it is asked for once more."""
    needed = {name: metadata[name] for name in NEEDED_AT_THE_END if name in metadata}
    return needed if len(json.dumps(needed)) <= LONGEST_CARRIED else {}


def seal(panel: Panel, flow: Flow) -> str:
    """What the browser carries of it; nobody else can read or make one."""
    said = json.dumps({"purpose": PURPOSE, **vars(flow)}).encode()
    return panel.appliance.store.vault.key.encrypt_at_time(said, _seconds(panel)).decode()


def opened(panel: Panel, sealed: str, *, state: str) -> Flow:
    """Give back the log-in that this browser has begun. Raises Unauthenticated."""
    try:
        said = json.loads(panel.appliance.store.vault.key.decrypt_at_time(sealed.encode(), LIFE_SECONDS, _seconds(panel)))
    except (InvalidToken, ValueError):
        raise Unauthenticated(OVER) from None
    if not isinstance(said, dict) or said.pop("purpose", "") != PURPOSE or not same(state, str(said.get("state", ""))):
        raise Unauthenticated(OVER)
    return Flow(**said)


def arrive(panel: Panel, flow: Flow, said: Mapping[str, str]) -> Arrival:
    """Who the provider says has come, as a user of this panel.

    Raises Unauthenticated for what cannot be trusted, Forbidden and Conflict for whom may not come in, ProviderFailed.
    """
    provider = demand_provider(panel)
    if provider.issuer != flow.issuer or said.get("iss", provider.issuer) != provider.issuer:
        raise Unauthenticated(REFUSED.format(why="another issuer"))
    if said.get("error") or not said.get("code"):
        raise Unauthenticated(f"The provider has not let you in: {said.get('error', 'no code')[:80]}. Try again, or log in by password.")
    claims = _claims(panel, provider, flow, said["code"])
    provider.demand_domain(claims)
    at = claims.get("auth_time")
    is_fresh = isinstance(at, int) and timedelta() <= timedelta(seconds=_seconds(panel) - at) < LASTS
    return Arrival(user=_user(panel, provider, claims), address=flow.address, is_fresh=is_fresh)


def _claims(panel: Panel, provider: LoginProvider, flow: Flow, code: str) -> Mapping[str, Any]:
    metadata = flow.metadata or metadata_of(provider.issuer)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": panel_address(panel) + CALLBACK,
        "code_verifier": flow.verifier,
    }
    secret = panel.appliance.store.login_providers.secret()
    ways = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in ways:
        tokens = ask("POST", metadata["token_endpoint"], data=form, auth=_basic(provider.client_id, secret))
    else:
        tokens = ask("POST", metadata["token_endpoint"], data=form | {"client_id": provider.client_id, "client_secret": secret})
    claims = _verified(panel, provider, flow, tokens, ask("GET", metadata["jwks_uri"]))
    return {**_more(metadata, tokens, claims), **claims}


def _more(metadata: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the provider says beside the ID token, of the same person alone (OpenID Connect Core, 5.3)."""
    address, token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
    if not address or not token:
        return {}
    try:
        check_address(str(address).partition("?")[0])
    except InvalidRequest:
        raise ProviderFailed("The provider says its userinfo_endpoint without HTTPS.") from None
    said = ask("GET", str(address), bearer=str(token))
    if said.get("sub") != claims["sub"]:
        raise Unauthenticated(REFUSED.format(why="another subject"))
    return said


def _basic(client_id: str, secret: str) -> tuple[str, str]:
    """As RFC 6749, section 2.3.1, has it: both are encoded as in a form."""
    return quote_plus(client_id), quote_plus(secret)


def _verified(panel: Panel, provider: LoginProvider, flow: Flow, tokens: Mapping[str, Any], keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of the ID token: signed by the provider, for this panel and this log-in, and not over (OpenID Connect Core, 3.1.3.7)."""
    try:
        token = jwt.decode(str(tokens.get("id_token", "")), KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={"iss": {"essential": True, "value": provider.issuer}, "aud": {"essential": True, "value": provider.client_id}},
            params={"nonce": flow.nonce, "client_id": provider.client_id, "access_token": tokens.get("access_token")},
        )
        claims.validate(now=_seconds(panel), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise Unauthenticated(REFUSED.format(why=str(getattr(error, "description", "") or type(error).__name__)[:100])) from None
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise Unauthenticated(REFUSED.format(why="no subject"))
    return dict(claims)


def _user(panel: Panel, provider: LoginProvider, claims: Mapping[str, Any]) -> User:
    providers, subject, now = panel.appliance.store.login_providers, str(claims["sub"]), panel.clock()
    identity = providers.identity(provider.issuer, subject)
    if identity is None:
        if not provider.makes_users:
            raise Forbidden(
                f"{provider.name} knows you, but you are no user here. Ask an administrator to link you: subject {subject[:80]}."
            )
        name, role = user_name(claims), provider.role_for(claims)
        unknown = hash_password(secrets.token_urlsafe(32))
        providers.make_user(issuer=provider.issuer, subject=subject, name=name, role=role, password_hash=unknown, now=now)
    else:
        name = identity.user
        providers.note_use(identity, role=provider.role_for(claims) if identity.follows else "", now=now)
    user = panel.appliance.store.access.find_user(name)
    if user is None:
        raise Conflict("This user was removed just now.")
    return user


def _seconds(panel: Panel) -> int:
    return int(panel.clock().timestamp())


REFUSALS = (Unauthenticated, Forbidden, Conflict, NotFound, ConfigurationError, ProviderFailed)
"""What the log-in page shows."""


def callback_of(panel: Panel) -> str:
    """What is told to the provider as the address to come back to; empty where the panel has none of its own."""
    try:
        return panel_address(panel) + CALLBACK
    except ConfigurationError:
        return ""
