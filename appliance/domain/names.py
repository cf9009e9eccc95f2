"""The names that people type to reach a CRM."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from appliance.errors import InvalidRequest

LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
LONGEST_DOMAIN = 253
USUAL_PORTS = {"http": 80, "https": 443}


def as_address(name: str) -> IPv4Address | IPv6Address | None:
    """The address that a name is, or None."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def check_domain(name: str) -> str:
    """The name in small letters if a certificate and a web server can carry it (RFC 1123). Raises InvalidRequest."""
    domain = name.strip().lower()
    if (address := as_address(domain)) is not None:
        return str(address)
    labels = domain.split(".")
    if len(domain) > LONGEST_DOMAIN or not all(LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise InvalidRequest(
            f"{name[:80]!r} is not the name of a host: use letters, digits and dashes between dots, as in crm.example.org; "
            "write other letters in their xn-- form. Nothing was changed.",
            field="domain",
        )
    return domain


def origin(scheme: str, name: str, port: int) -> str:
    """As a browser writes it: without the port that goes without saying, and an IPv6 address in brackets."""
    address = as_address(name)
    written = f"[{name}]" if address is not None and address.version == 6 else name  # noqa: PLR2004 - IPv6
    return f"{scheme}://{written}" + ("" if port == USUAL_PORTS[scheme] else f":{port}")
