"""What is asked of the provider that people log in by, and of whoever sets it up."""

import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
from authlib.oidc.discovery import get_well_known_url

from appliance.domain.login_provider import LoginProvider, check_address, checked
from appliance.errors import ApplianceError, InvalidRequest, NotFound
from appliance.store.audit import append_entry
from appliance.store.login_providers import SCOPE, SECRET
from appliance.wiring import Appliance

TIMEOUT_SECONDS = 10
LARGEST_ANSWER_BYTES = 1_000_000
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFailed(ApplianceError):
    """The provider does not answer, or not as OpenID Connect has it."""


def set_provider(appliance: Appliance, provider: LoginProvider, *, secret: str, by: str, now: datetime) -> None:
    """Have people log in by this provider, once it was seen to answer; without a new secret the present one is kept.

    Raises InvalidRequest, with nothing changed.
    """
    provider = checked(replace(provider, issuer=provider.issuer.strip(), domains=tuple(one.strip().lower() for one in provider.domains)))
    secret = secret.strip() or _present_secret(appliance)
    try:
        metadata_of(provider.issuer)
    except ProviderFailed as error:
        raise InvalidRequest(f"{error} Nothing was changed.", field="issuer") from None
    appliance.store.login_providers.put(provider, secret=secret, by=by, now=now)


def replace_client_secret(appliance: Appliance, secret: str, *, by: str, now: datetime) -> None:
    """Show the provider another secret from now on; all else of it stays. Raises NotFound."""
    provider = appliance.store.login_providers.find()
    if provider is None:
        raise NotFound("There is no login provider. Nothing was changed.")
    subject = f"login provider {provider.name}"
    appliance.store.vault.exchange(
        SCOPE,
        {SECRET: secret},
        also=lambda session: append_entry(session, at=now, actor=by, action="replace secret", subject=subject, detail={}),
    )


def _present_secret(appliance: Appliance) -> str:
    try:
        return appliance.store.login_providers.secret()
    except NotFound:
        raise InvalidRequest("Say the client secret, too. Nothing was changed.", field="secret") from None


def metadata_of(issuer: str) -> Mapping[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery). Raises ProviderFailed."""
    said = ask("GET", get_well_known_url(issuer, external=True))
    if said.get("issuer") != issuer:
        raise ProviderFailed(f"The provider calls itself {str(said.get('issuer'))[:80]!r}, not {issuer!r}: write the issuer as it does.")
    for name in ENDPOINTS:
        try:
            check_address(str(said.get(name, "")).partition("?")[0])
        except InvalidRequest:
            raise ProviderFailed(f"The provider does not say its {name}, or one without HTTPS.") from None
    return said


def ask(method: str, address: str, *, bearer: str = "", **parts: Any) -> Mapping[str, Any]:
    """Give the JSON object that the provider answers with. Raises ProviderFailed."""
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    try:
        with httpx.Client(verify=ssl.create_default_context(), timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            answer = client.request(method, address, headers=headers, **parts)
        said = answer.json() if len(answer.content) <= LARGEST_ANSWER_BYTES else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise ProviderFailed(f"The provider does not answer as one would ({type(error).__name__}).") from None
    if not isinstance(said, dict) or answer.is_error:
        why = said.get("error") if isinstance(said, dict) else None
        raise ProviderFailed(f"The provider answers {answer.status_code}{f': {why}'[:100] if why else ''}.")
    return said
