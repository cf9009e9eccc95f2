"""Attempts to log in that failed, counted by where they come from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network

from appliance.domain.names import as_address

LONGEST_PLACE = 64
PREFIX = 64
"""Bits of an IPv6 address that its network is: one visitor has all the addresses behind them."""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many failures within so long a time are let be; with `failures` of 0 any number."""

    failures: int
    within: timedelta


def network_of(address: str) -> str:
    """What the failures of an address are counted for: an IPv4 address itself, of IPv6 the /64.

    >>> network_of("192.0.2.7"), network_of("::ffff:192.0.2.7"), network_of("2001:db8::1:2:3:4%eth0"), network_of("unknown")
    ('192.0.2.7', '192.0.2.7', '2001:db8::/64', 'unknown')
    """
    found = as_address(address.partition("%")[0])
    if not isinstance(found, IPv6Address):
        return address[:LONGEST_PLACE] if found is None else str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, PREFIX), strict=False))


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One that was counted as failed before it was looked at. With `ends_at` it is refused until then; `is_last`: no more are let be."""

    ends_at: datetime | None = None
    is_last: bool = False
