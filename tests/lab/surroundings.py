"""Where this machine gets its packages from, asked at run time, and the same said to a lab host in its own settings files."""

import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from groundwork.registries import SYSTEM_CERTIFICATES, read_pip_settings

from tests.lab.programs import run

LOCAL_CERTIFICATES = Path("/usr/local/share/ca-certificates")
APT_OPTIONS = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ", "Acquire::Retries ")
PIP_DEFAULTS = "from pip._internal.models.index import PyPI; print(PyPI.netloc, PyPI.file_storage_domain)"


@functools.cache
def sources(release: str) -> list[str]:
    """apt's lines for a Debian release, from the mirrors that apt uses here; raises LookupError when it uses none of Debian's."""
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Origin: Debian").split("\n")
    known = [line.split() for line in listed if line]
    main = [uri for uri, suite in known if not suite.endswith("-security")]
    security = [uri for uri, suite in known if suite.endswith("-security")]
    if not main:
        raise LookupError("apt knows no mirror of Debian here, so no host can be built; run apt-get update first.")
    lines = [f"deb {main[0]} {release} main", f"deb {main[0]} {release}-updates main"]
    return lines + [f"deb {uri} {release}-security main" for uri in security[:1]]


@functools.cache
def apt_options(prefixes: tuple[str, ...] = APT_OPTIONS) -> list[str]:
    """What apt is told here about how to fetch."""
    return [line for line in run("apt-config", "dump").splitlines() if line.startswith(prefixes)]


def certificates() -> dict[str, bytes]:
    """The certificate authorities that the administrator of this machine trusts beside Debian's, by file name."""
    return {file.name: file.read_bytes() for file in sorted(LOCAL_CERTIFICATES.glob("*.crt"))}


def secure_hosts() -> list[str]:
    """The hosts that pip, uv and npm (and apt, of an https mirror) talk to, which the proxy lets through unread."""
    hosts = [*_pip_hosts(), *_npm_hosts()]
    hosts += [urlsplit(line.split()[1]).netloc for line in sources("stable") if line.startswith("deb https:")]
    return sorted({host if ":" in host else f"{host}:443" for host in hosts})


def _pip_hosts() -> list[str]:
    settings = read_pip_settings(Path(sys.executable))
    named = [url for key in ("index-url", "extra-index-url") for url in settings.get(key, "").split()]
    own = [urlsplit(url).netloc.rpartition("@")[2] for url in named if url.startswith("https:")]
    return own if "index-url" in settings else own + run(sys.executable, "-c", PIP_DEFAULTS).split()


def _npm_hosts() -> list[str]:
    try:
        return [urlsplit(run("npm", "config", "get", "registry").strip()).netloc]
    except FileNotFoundError:
        return []


def settings_files(proxy: str) -> dict[str, str]:
    """The settings files of a lab host that lead apt, pip, uv and npm through the proxy, by path."""
    return {
        "etc/apt/apt.conf.d/01lab": "\n".join([f'Acquire::{kind}::Proxy "{proxy}";' for kind in ("http", "https")] + apt_options()) + "\n",
        "etc/pip.conf": _pip_configuration(proxy),
        "etc/uv/uv.toml": _uv_configuration(proxy),
        "root/.npmrc": f"proxy={proxy}\nhttps-proxy={proxy}\ncafile={SYSTEM_CERTIFICATES}\n",
    }


@functools.cache
def _remote_pip_settings() -> dict[str, str]:
    """pip's settings that mean something on another machine: not the folders and files of this one."""
    settings = read_pip_settings(Path(sys.executable))
    return {key: settings[key] for key in ("index-url", "trusted-host") if key in settings and "file:" not in settings[key]}


def _pip_configuration(proxy: str) -> str:
    settings = _remote_pip_settings() | {"proxy": proxy, "cert": str(SYSTEM_CERTIFICATES)}
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())


def _uv_configuration(proxy: str) -> str:
    settings: Mapping[str, object] = {"http-proxy": proxy, "https-proxy": proxy, "system-certs": True}
    pip = _remote_pip_settings()
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    if index := pip.get("index-url"):
        lines.append(f"[[index]]\nurl = {json.dumps(index)}\ndefault = true")
    return "\n".join(lines) + "\n"


def proxy_above() -> str | None:
    """The proxy that apt itself goes through here, if any."""
    options = apt_options(("Acquire::http::Proxy ",))
    return options[0].split('"')[1] if options else None
