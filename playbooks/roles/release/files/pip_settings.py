"""Say in uv's words where this machine's pip gets its packages from: index, proxy, certificates.

Prints a JSON object: `settings` are environment variables, `further` those that add the further indexes. Reads pip's own files and
PIP_* variables, in pip's order: a release is built by uv, on a machine whose administrator may have told only pip.
"""

from __future__ import annotations

import configparser
import json
import os
from collections.abc import Mapping
from pathlib import Path

FILES = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), Path("~/.pip/pip.conf"), Path("~/.config/pip/pip.conf"))
SECTIONS = ("global", "install")


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's settings by name, the later source winning."""
    found: dict[str, str] = {}
    named = environment.get("PIP_CONFIG_FILE")
    for file in (*FILES, *([Path(named)] if named else [])):
        parser = configparser.RawConfigParser()
        parser.read(file.expanduser())
        for section in SECTIONS:
            found |= {key.replace("_", "-"): value for key, value in (parser.items(section) if parser.has_section(section) else [])}
    return found | {key[4:].lower().replace("_", "-"): value for key, value in environment.items() if key.startswith("PIP_") and value}


def exists(place: str) -> bool:
    """uv refuses a local directory that is absent, where pip passes over it."""
    path = place.removeprefix("file://")
    return not path.startswith("/") or Path(path).exists()


def translate(pip: Mapping[str, str]) -> dict[str, str]:
    """uv's environment variables for pip's settings."""
    same = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST", "no-index": "UV_NO_INDEX"}
    result = {name: " ".join(pip[key].split()) for key, name in same.items() if pip.get(key)}
    if proxy := pip.get("proxy"):
        result |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
    return result


def further(pip: Mapping[str, str]) -> dict[str, str]:
    """What adds pip's further indexes. Kept apart: uv prefers them to the first index, and then takes a file of the right version
    whose hash is another's, where pip would have passed it over.
    """
    lists = {"extra-index-url": ("UV_INDEX", " "), "find-links": ("UV_FIND_LINKS", ",")}
    result = {}
    for key, (name, separator) in lists.items():
        if places := [place for place in pip.get(key, "").split() if exists(place)]:
            result[name] = separator.join(places)
    return result | {"UV_INDEX_STRATEGY": "unsafe-best-match"} if result else {}


if __name__ == "__main__":
    pip_settings = settings(os.environ)
    print(json.dumps({"settings": translate(pip_settings), "further": further(pip_settings)}))
