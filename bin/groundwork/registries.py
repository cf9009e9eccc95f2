"""Where packages come from on this machine: uv and npm are told what pip's own configuration says."""

import ast
import subprocess
from collections.abc import Mapping
from pathlib import Path

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def read_pip_settings(python: Path) -> dict[str, str]:
    """Return pip's settings for installing, by option: [install] wins over [global], the environment over both; an empty value is none."""
    listed = subprocess.run([str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    return parse_pip_settings(listed.stdout)


def parse_pip_settings(listing: str) -> dict[str, str]:
    """Read what `pip config list` prints."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, separator, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if separator and section in sections and (said := ast.literal_eval(value)):
            sections[section][option] = str(said)
    return sections["global"] | sections["install"] | sections[":env:"]


def uv_environment(settings: Mapping[str, str], environ: Mapping[str, str], *, certificates: Path = SYSTEM_CERTIFICATES) -> dict[str, str]:
    """Return `environ` with what uv and npm need; a variable that is already set stays as it is."""
    derived = _index_variables(settings) | _network_variables(settings, certificates)
    return {name: value for name, value in derived.items() if value} | dict(environ)


def _index_variables(settings: Mapping[str, str]) -> dict[str, str]:
    extra = settings.get("extra-index-url", "").split()
    return {
        "UV_DEFAULT_INDEX": settings.get("index-url", ""),
        "UV_INDEX": " ".join(extra),
        # As pip does: the best version of all indexes. Hashes in the locks decide what is accepted.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if extra else "",
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "UV_NO_INDEX": "1" if settings.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
        "UV_INSECURE_HOST": " ".join(settings.get("trusted-host", "").split()),
    }


def _network_variables(settings: Mapping[str, str], certificates: Path) -> dict[str, str]:
    certificate = settings.get("cert") or (str(certificates) if certificates.exists() else "")
    proxy = settings.get("proxy", "")
    return {
        "SSL_CERT_FILE": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
        "SSL_CLIENT_CERT": settings.get("client-cert", ""),
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        "UV_HTTP_TIMEOUT": settings.get("default-timeout") or settings.get("timeout", ""),
    }
