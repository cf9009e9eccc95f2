"""How visitors are protected on their way to a CRM."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from appliance.domain.names import as_address

RENEW_BEFORE = timedelta(days=30)
"""A certificate is renewed when less than this, or than a third of its life, is left."""


class TlsMode(StrEnum):
    """Where a CRM's certificate comes from."""

    NONE = "none"
    """There is none: plain HTTP, for this machine alone or behind somebody else's proxy."""
    PRIVATE_CA = "private-ca"
    """The authority that the appliance keeps; renewed by itself."""
    OWN = "own"
    """An administrator brought it, and brings the next one."""
    ACME = "acme"
    """An authority that is asked over the network by ACME (RFC 8555); renewed by itself."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The certificate that a CRM shows. `certificate` names it, `trust` is what a client that knows nothing else verifies it with (PEM).

    `hsts`: browsers are told to come by HTTPS only, for two years, whatever else is offered under that name.
    """

    mode: TlsMode = TlsMode.NONE
    hsts: bool = False
    certificate: str = ""
    trust: str = ""
    issued_at: datetime | None = None
    not_after: datetime | None = None

    @property
    def is_on(self) -> bool:
        """Whether visitors come by HTTPS."""
        return self.mode is not TlsMode.NONE

    def is_due(self, now: datetime) -> bool:
        """Whether the appliance should renew it."""
        if self.mode not in (TlsMode.PRIVATE_CA, TlsMode.ACME) or self.not_after is None or self.issued_at is None:
            return False
        return self.not_after - now < min(RENEW_BEFORE, (self.not_after - self.issued_at) / 3)

    def as_json(self) -> dict[str, Any]:
        """As the store takes it."""
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in vars(self).items()}


def tls_of_json(kept: Mapping[str, Any]) -> Tls:
    """As the store gives it."""
    moments = {name: datetime.fromisoformat(kept[name]) for name in ("issued_at", "not_after") if kept.get(name)}
    return Tls(**{**kept, "mode": TlsMode(kept["mode"]), **moments})


def default_mode(address: str) -> TlsMode:
    """Nobody listens on the way to the loopback address; anywhere else somebody may."""
    parsed = as_address(address)
    return TlsMode.NONE if parsed is not None and parsed.is_loopback else TlsMode.PRIVATE_CA


def default_hsts(mode: TlsMode, address: str) -> bool:
    """Only where every visitor trusts the certificate anyway, and will trust the next one.

    Browsers remember for two years. With the appliance's own authority that would lock out whoever has removed it, or an appliance that was
    set up anew with another; the loopback address is shared with everything else on the machine.
    """
    parsed = as_address(address)
    return mode in (TlsMode.OWN, TlsMode.ACME) and not (parsed is not None and parsed.is_loopback)
