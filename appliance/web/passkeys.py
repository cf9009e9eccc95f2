"""Passkeys (WebAuthn): made by somebody who is logged in, asked for at the log-in and where something grave is confirmed."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from appliance.config import Settings
from appliance.domain.names import as_address, origin
from appliance.domain.passkey import Passkey, checked_name, id_of
from appliance.domain.second_factor import ISSUER, make_recovery_codes
from appliance.errors import Conflict, InvalidRequest, Unauthenticated
from appliance.store.passkeys import WentBack
from appliance.web import second_factors
from appliance.web.access import Principal
from appliance.web.challenges import Challenge, end_of, make_challenge, opened, seal
from appliance.web.languages import gettext, marked
from appliance.web.panel import Panel
from appliance.web.passwords import count_failure, forgive

LONGEST_ANSWER = 20_000
HANDLE_BYTES = 32
TLS_PORT = 443
UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError)
"""What the library raises for what no browser would send, beside its own refusals."""
REFUSED = "This passkey was not accepted. Try again, or use another way to log in."
NAMELESS = marked("Passkeys need the panel to have a name and TLS (`bin/up --production --domain NAME`), or to be opened at localhost.")


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where passkeys of this panel count: the name that they are bound to, and the one address whose pages may ask for them."""

    name: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a page asks a browser's passkeys: the options for scripts, as JSON, and the sealed challenge that the form brings back."""

    options: str
    sealed: str


def site_of(settings: Settings) -> Site | None:
    """As the settings say; None for a panel that is reached by a plain address."""
    if settings.panel_domain:
        name = settings.panel_domain.lower()
        return Site(name=name, origin=origin("https", name, TLS_PORT)) if as_address(name) is None else None
    host, _, port = settings.panel_listen.rpartition(":")
    address = as_address(host.strip("[]"))
    is_local = host == "localhost" or (address is not None and address.is_loopback)
    return Site(name="localhost", origin=origin("http", "localhost", int(port))) if is_local else None


def hindrance(panel: Panel, request: Request) -> str:
    """Why passkeys do not work in this browser window; empty when they do."""
    site = site_of(panel.appliance.settings)
    if site is None:
        return gettext(NAMELESS)
    is_there = f"{request.url.scheme}://{request.url.netloc}" == site.origin
    return "" if is_there else gettext("Passkeys work at %(address)s alone. Open the panel there.", address=site.origin)


def seen_by(panel: Panel, principal: Principal, user: str | None = None) -> list[Passkey]:
    """Those that somebody may see, of one user or all: one's own, for administrators everybody's."""
    found = panel.appliance.store.passkeys.list(user)
    return [one for one in found if one.user == principal.name or principal.may(second_factors.RIGHT)]


def remove(panel: Panel, principal: Principal, user: str, passkey_id: str) -> bool:
    """Let one open nothing from now on; whether the second factor ended with it. Raises Forbidden and NotFound."""
    second_factors.demand(principal, user)
    return panel.appliance.store.passkeys.remove(user, passkey_id, by=principal.name, now=panel.clock())


def ask_for_new(panel: Panel, principal: Principal) -> Question:
    """Ask a browser to make a passkey for somebody who is logged in. Raises Conflict where there can be none."""
    known = panel.appliance.store.passkeys.list(principal.name)
    handle = known[0].handle if known else secrets.token_bytes(HANDLE_BYTES)
    challenge = make_challenge(purpose="new", browser=principal.csrf, user=principal.name, handle=handle)
    options = generate_registration_options(
        rp_id=_site(panel).name,
        rp_name=ISSUER,
        user_id=handle,
        user_name=principal.name,
        challenge=challenge.value,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_descriptors(known),
    )
    return Question(options=options_to_json(options), sealed=seal(panel, challenge))


def add(panel: Panel, principal: Principal, *, name: str, answer: str, sealed: str) -> list[str]:
    """Ask for this passkey from now on. Where the second factor begins with it, gives the recovery codes, and logs other browsers out.

    Raises InvalidRequest, Conflict, and Unauthenticated for what no browser of this one would have sent.
    """
    store, name = panel.appliance.store, checked_name(name)
    challenge = opened(panel, sealed, purpose="new", browser=principal.csrf, user=principal.name)
    passkey, codes = _made(panel, principal, challenge, name, answer), make_recovery_codes()
    if not store.passkeys.add(passkey, codes=codes, challenge=challenge.digest, expires_at=end_of(panel)):
        return []
    second_factors.end_other_sessions(panel, principal)
    return codes


def _made(panel: Panel, principal: Principal, challenge: Challenge, name: str, answer: str) -> Passkey:
    site = _site(panel)
    try:
        made = verify_registration_response(
            credential=_parsed(answer), expected_challenge=challenge.value, expected_rp_id=site.name, expected_origin=site.origin
        )
    except UNREADABLE:
        raise InvalidRequest(
            gettext("The browser did not make a passkey for this panel. Nothing was changed; try again."), field="name"
        ) from None
    return Passkey(
        id=id_of(made.credential_id),
        user=principal.name,
        name=name,
        credential=made.credential_id,
        public_key=made.credential_public_key,
        handle=challenge.handle,
        sign_count=made.sign_count,
        created_at=panel.clock(),
        last_used_at=None,
    )


def ask(panel: Panel, request: Request, *, purpose: str, browser: str, user: str = "", verification: str) -> Question | None:
    """Ask a browser for a passkey, of this user or of whoever holds it. None where there is none to ask for, or not at this address.

    `verification` says whether the device is to know its owner by more than his touch, as WebAuthn writes it.
    """
    known = panel.appliance.store.passkeys.list(user or None)
    if not known or hindrance(panel, request):
        return None
    challenge = make_challenge(purpose=purpose, browser=browser, user=user)
    options = generate_authentication_options(
        rp_id=_site(panel).name,
        challenge=challenge.value,
        allow_credentials=_descriptors(known) if user else None,
        user_verification=UserVerificationRequirement(verification),
    )
    return Question(options=options_to_json(options), sealed=seal(panel, challenge))


def take(panel: Panel, *, answer: str, sealed: str, purpose: str, browser: str, user: str = "", is_alone: bool) -> Passkey:
    """Take what a passkey has signed, once. One that stands alone has to have known its owner, by PIN, finger or face.

    Raises Unauthenticated, and Forbidden while locked out. Each try is counted before it is looked at, as that of a code is.
    """
    store, now = panel.appliance.store, panel.clock()
    challenge = opened(panel, sealed, purpose=purpose, browser=browser, user=user)
    said = _parsed(answer)
    passkey = _meant(panel, said, user)
    count_failure(store.access, passkey.user, now=now)
    sign_count = _verified(panel, passkey, said, challenge, is_alone=is_alone)
    try:
        store.passkeys.use(passkey, sign_count=sign_count, challenge=challenge.digest, expires_at=end_of(panel), now=now)
    except Conflict as error:
        raise Unauthenticated(str(error)) from None
    except WentBack:
        told = {"passkey": passkey.name, "counter": sign_count, "was": passkey.sign_count}
        store.access.audit(actor=passkey.user, action="passkey counter went back", subject=passkey.user, detail=told, now=now)
        raise
    forgive(store.access, passkey.user)
    return passkey


def _meant(panel: Panel, said: dict[str, Any], user: str) -> Passkey:
    try:
        passkey = panel.appliance.store.passkeys.find(id_of(base64url_to_bytes(str(said.get("rawId", "")))))
        handle = (said.get("response") or {}).get("userHandle")
        is_right = passkey is not None and (not handle or base64url_to_bytes(str(handle)) == passkey.handle)
    except (ValueError, AttributeError):
        raise Unauthenticated(REFUSED) from None
    if passkey is None or not is_right or user not in ("", passkey.user):
        raise Unauthenticated(REFUSED)
    return passkey


def _verified(panel: Panel, passkey: Passkey, said: dict[str, Any], challenge: Challenge, *, is_alone: bool) -> int:
    """How often the passkey has signed. The store compares that with what it knew, so that of two at once one counts."""
    site = _site(panel)
    try:
        verified = verify_authentication_response(
            credential=said,
            expected_challenge=challenge.value,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=is_alone,
        )
    except UNREADABLE:
        raise Unauthenticated(REFUSED) from None
    return verified.new_sign_count


def _parsed(answer: str) -> dict[str, Any]:
    try:
        said = json.loads(answer[:LONGEST_ANSWER])
    except (ValueError, RecursionError):
        raise Unauthenticated(REFUSED) from None
    if not isinstance(said, dict):
        raise Unauthenticated(REFUSED)
    return said


def _site(panel: Panel) -> Site:
    site = site_of(panel.appliance.settings)
    if site is None:
        raise Conflict(f"{NAMELESS} Nothing was changed.")
    return site


def _descriptors(known: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one.credential) for one in known]
