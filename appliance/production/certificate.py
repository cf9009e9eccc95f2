"""The certificate of the panel: by the appliance's own authority, or one that an administrator brings. It is kept in the vault."""

from datetime import datetime

from cryptography import x509

from appliance.certificates import Pair, examine, issue
from appliance.certificates.authority import Names
from appliance.domain.names import as_address
from appliance.domain.tls import Tls, TlsMode
from appliance.errors import NotFound
from appliance.operations.certifying import authority
from appliance.wiring import Appliance

SCOPE = "panel"
"""No instance's secrets are filed under it: they would be `tls:panel`."""
ISSUED, OWN = "issued", "own"


def pair_of_panel(appliance: Appliance, now: datetime) -> tuple[Pair, bool]:
    """The pair to show, issued again when it is due or for another name, and whether it is one's own. Raises InvalidRequest."""
    if own := _kept(appliance, OWN):
        return own, True
    domain, kept = appliance.settings.panel_domain, _kept(appliance, ISSUED)
    if kept is None or _is_due(kept, now) or not _is_for(kept, domain):
        kept = issue(authority(appliance, now), Names(domain=domain), now)
        _keep(appliance, ISSUED, kept)
    return kept, False


def bring(appliance: Appliance, certificate: str, key: str, now: datetime) -> None:
    """Show a certificate of one's own from now on. Raises InvalidRequest for one that visitors would be warned of."""
    _keep(appliance, OWN, examine(certificate, key, appliance.settings.panel_domain, now))


def give_up_own(appliance: Appliance) -> None:
    """Go back to the appliance's authority."""
    appliance.store.vault.forget_one(SCOPE, OWN)


def _is_due(pair: Pair, now: datetime) -> bool:
    issued_at, not_after = pair.leaf.not_valid_before_utc, pair.not_after
    return Tls(mode=TlsMode.PRIVATE_CA, issued_at=issued_at, not_after=not_after).is_due(now)


def _is_for(pair: Pair, domain: str) -> bool:
    names = pair.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    address = as_address(domain)
    return address in names.get_values_for_type(x509.IPAddress) if address else domain in names.get_values_for_type(x509.DNSName)


def _kept(appliance: Appliance, name: str) -> Pair | None:
    """One entry, so that certificate and key are replaced together."""
    try:
        kept = appliance.store.vault.get(SCOPE, name)
    except NotFound:
        return None
    key, begin, rest = kept.partition("-----BEGIN CERTIFICATE-----")
    return Pair(certificate=begin + rest, key=key)


def _keep(appliance: Appliance, name: str, pair: Pair) -> None:
    appliance.store.vault.put(SCOPE, name, pair.key + pair.certificate)
