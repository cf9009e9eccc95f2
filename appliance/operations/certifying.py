"""Where certificates come from and where they are kept: in the vault, each under a name of its own, the one before until the end."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from appliance.certificates import Pair, examine, issue, make_authority
from appliance.certificates.authority import Names
from appliance.domain.instance import Instance
from appliance.domain.tls import Tls, TlsMode
from appliance.errors import ConfigurationError, InvalidRequest, NotFound
from appliance.operations.addresses import Site
from appliance.wiring import Appliance

AUTHORITY_SCOPE = "certificate-authority"
SCOPE_PREFIX = "tls:"
HANDOVER_PREFIX = "handover:"
FILE_PREFIX = "tls."
"""Begins the name of a certificate's file; no secret of a product has a dot in its name."""

Handover = Annotated[str, Field(pattern=rf"^{HANDOVER_PREFIX}[0-9a-f]{{32}}$")] | None
"""Names what a request brought and its record must not hold."""


def authority(appliance: Appliance, now: datetime) -> Pair:
    """The appliance's own certificate authority, made when it is asked for first; two who ask at once get the same."""
    vault = appliance.store.vault
    kept = vault.all(AUTHORITY_SCOPE).get("authority")
    if kept is None:
        made = make_authority(f"CRM Appliance CA, {now:%Y-%m-%d}", now, domains=appliance.settings.ca_domains)
        kept = vault.settle(AUTHORITY_SCOPE, "authority", made.key + made.certificate)
    key, begin, rest = kept.partition("-----BEGIN CERTIFICATE-----")
    return Pair(certificate=begin + rest, key=key, trust=begin + rest)


def hand_over(appliance: Appliance, secrets: Mapping[str, str]) -> str:
    """Keep what a request brought and its record must not hold; give what it is found by. The same secrets have the same name."""
    digest = sha256("\0".join(f"{name}={value}" for name, value in sorted(secrets.items())).encode()).hexdigest()
    scope = f"{HANDOVER_PREFIX}{digest[:32]}"
    for name, value in secrets.items():
        appliance.store.vault.put(scope, name, value)
    return scope


def handed_over(appliance: Appliance, parameters: Mapping[str, Any], name: str) -> str:
    """A secret of a request, or "". Raises InvalidRequest when it has been thrown away since."""
    if not parameters.get("handover"):
        return str(parameters.get(name) or "")
    try:
        return appliance.store.vault.get(parameters["handover"], name)
    except NotFound:
        raise InvalidRequest(f"The {name} of this request is kept no longer. Nothing was changed; give it again.", field=name) from None


def examine_request(appliance: Appliance, site: Site, parameters: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Look at what a request brings for its site; gives it in order, still with the key. Raises InvalidRequest."""
    brings = bool(parameters.get("certificate") or parameters.get("key") or parameters.get("handover"))
    if site.mode is not TlsMode.OWN:
        if brings:
            raise InvalidRequest("A certificate is brought with --tls own only. Nothing was changed.", field="certificate")
        return {"certificate": None, "key": None, "handover": None}
    if not parameters.get("certificate"):
        raise InvalidRequest("A certificate of one's own is given with --certificate FILE. Nothing was changed.", field="certificate")
    key = handed_over(appliance, parameters, "key")
    if not key:
        raise InvalidRequest("The key of the certificate is given with --key FILE. Nothing was changed.", field="key")
    pair = examine(parameters["certificate"], key, site.domain, now)
    return {"certificate": pair.certificate, "key": pair.key, "handover": None}


def certify(appliance: Appliance, name: str, site: Site, parameters: Mapping[str, Any], now: datetime) -> Tls:
    """Get a certificate for a site and keep it; one by ACME is got by the host, which alone has its key. Raises InvalidRequest."""
    if site.mode in (TlsMode.NONE, TlsMode.ACME):
        return Tls(mode=site.mode, hsts=site.hsts, trust=_acme_trust(appliance) if site.mode is TlsMode.ACME else "")
    if site.mode is TlsMode.OWN:
        pair = examine(parameters["certificate"], handed_over(appliance, parameters, "key"), site.domain, now)
    else:
        pair = issue(authority(appliance, now), Names(domain=site.domain, address=site.address), now)
    appliance.store.vault.put(scope_of(name), f"{pair.id}.certificate", pair.certificate)
    appliance.store.vault.put(scope_of(name), f"{pair.id}.key", pair.key)
    return Tls(
        mode=site.mode,
        hsts=site.hsts,
        certificate=pair.id,
        trust=pair.trust,
        issued_at=pair.leaf.not_valid_before_utc,
        not_after=pair.not_after,
    )


def brought_before(appliance: Appliance, lost: Instance, site: Site, now: datetime) -> Tls | None:
    """The certificate that an administrator had brought for a CRM that was lost, if it is still good for the site; None otherwise.

    One by ACME is no such: its key was lost with the host, and its name may lead elsewhere still.
    """
    tls = lost.tls
    if tls.mode is not TlsMode.OWN or not site.is_on or site.domain != lost.domain or tls.not_after is None or tls.not_after <= now:
        return None
    kept = appliance.store.vault.all(scope_of(lost.name))
    return tls if {f"{tls.certificate}.certificate", f"{tls.certificate}.key"} <= kept.keys() else None


def forget_handover(appliance: Appliance, parameters: Mapping[str, Any]) -> None:
    """Forget what a request brought, when it is kept elsewhere."""
    if parameters.get("handover"):
        appliance.store.vault.forget(parameters["handover"])


def certificate_secrets(appliance: Appliance, instance: Instance) -> dict[str, str]:
    """Certificate and key of an instance, to be laid down as files; nothing when the host keeps them or there are none. Raises NotFound."""
    if instance.tls.mode not in (TlsMode.PRIVATE_CA, TlsMode.OWN):
        return {}
    vault, scope = appliance.store.vault, scope_of(instance.name)
    return {f"{FILE_PREFIX}{part}": vault.get(scope, f"{instance.tls.certificate}.{part}") for part in ("certificate", "key")}


def certificate_variables(appliance: Appliance, files: Mapping[str, str], *, renew: bool = False, ask: bool = True) -> dict[str, Any]:
    """What a playbook is told about certificates: where those files are, and whom the host asks for one. Raises ConfigurationError.

    Without `ask` the host makes do with what it has.
    """
    settings = appliance.settings
    whom = {"directory": settings.acme_directory, "email": settings.acme_email, "authorities": _acme_trust(appliance)}
    asked = {**whom, "renew": renew, "ask": ask}
    laid = {name.removeprefix(FILE_PREFIX): path for name, path in files.items() if name.startswith(FILE_PREFIX)}
    return {"tls_files": laid, "acme": asked}


def keep_only(appliance: Appliance, instance: Instance) -> None:
    """Forget the certificates that the instance showed before."""
    for name in appliance.store.vault.all(scope_of(instance.name)):
        if name.partition(".")[0] != instance.tls.certificate:
            appliance.store.vault.forget_one(scope_of(instance.name), name)


def forget_certificates(appliance: Appliance, name: str) -> None:
    """Forget every certificate of an instance."""
    appliance.store.vault.forget(scope_of(name))


def scope_of(name: str) -> str:
    """Where the certificates of an instance are kept; not among its secrets, which the CRM can read."""
    return f"{SCOPE_PREFIX}{name}"


def _acme_trust(appliance: Appliance) -> str:
    """The authorities that a private ACME server is known by; none where the machine knows it anyway."""
    file = appliance.settings.acme_authorities
    try:
        return Path(file).read_text(encoding="utf-8") if file else ""
    except OSError as error:
        raise ConfigurationError(f"acme_authorities: {file} cannot be read ({error.strerror}). Nothing was changed.") from error
