"""Ask the package index that this machine's pip uses: which releases a package has, and which of a lock's packages have advisories.

Releases are asked by the standard JSON form of the simple index; advisories by the form that the public index has besides and many
mirrors lack.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ssl import create_default_context
from typing import Any

import httpx
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename

from appliance.config import program
from appliance.domain.pending import Advisory, PublishedRelease
from appliance.errors import StepFailed
from appliance.products.pip_settings import read_pip_settings

SIMPLE = "application/vnd.pypi.simple.v1+json"
TIMEOUT_SECONDS = 20
OPTION = "--index-url "


class NotAsked(StepFailed):
    """The index did not answer what was asked."""


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """An index by the address of its simple form, and how it is reached: a proxy, or a file of certificates to trust."""

    address: str
    proxy: str | None = None
    certificates: str | None = None

    def releases(self, package: str) -> tuple[PublishedRelease, ...]:
        """Every release of a package that was not withdrawn. Raises NotAsked."""
        answer = self._get(f"{self.address}/{canonicalize_name(package)}/", SIMPLE)
        found: dict[str, PublishedRelease] = {}
        for file in answer.get("files", ()):
            version = version_of(str(file["filename"]), package)
            if version is not None and not file.get("yanked") and version not in found:
                moment = file.get("upload-time")
                found[version] = PublishedRelease(version=version, published_at=datetime.fromisoformat(moment) if moment else None)
        return tuple(found.values())

    def advisories(self, package: str, version: str) -> tuple[Advisory, ...]:
        """The known vulnerabilities of one release of a package. Raises NotAsked."""
        root = self.address.removesuffix("/simple")
        answer = self._get(f"{root}/pypi/{canonicalize_name(package)}/{version}/json", "application/json")
        return tuple(
            Advisory(
                id=next((alias for alias in one.get("aliases", ()) if alias.startswith("CVE-")), str(one["id"])),
                package=package,
                version=version,
                summary=str(one.get("summary") or one.get("details") or "").strip().split("\n")[0][:200],
                fixed_in=tuple(one.get("fixed_in", ())),
            )
            for one in answer.get("vulnerabilities", ())
            if not one.get("withdrawn")
        )

    def _get(self, address: str, form: str) -> dict[str, Any]:
        try:
            answer = httpx.get(
                address,
                headers={"Accept": form},
                timeout=TIMEOUT_SECONDS,
                follow_redirects=True,
                proxy=self.proxy,
                verify=create_default_context(cafile=self.certificates),
            )
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except httpx.HTTPStatusError as error:
            raise NotAsked(f"the package index answers {error.response.status_code} for {httpx.URL(address).path}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NotAsked(f"the package index does not answer ({type(error).__name__}: {error})") from None
        except ValueError:
            raise NotAsked(f"the package index does not answer in JSON for {httpx.URL(address).path}") from None
        return found


def version_of(file_name: str, package: str) -> str | None:
    """The version that a file of a package holds, None when it is another package's or no package."""
    try:
        if file_name.endswith(".whl"):
            name, version = parse_wheel_filename(file_name)[:2]
        else:
            name, version = parse_sdist_filename(file_name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return str(version) if name == canonicalize_name(package) else None


def open_index(environment: Mapping[str, str] | None = None) -> PackageIndex:
    """The index that pip's settings name, or else the one that uv would use. Raises NotAsked, ConfigurationError."""
    environment = os.environ if environment is None else environment
    settings = read_pip_settings(environment)
    address = settings.get("index-url") or _default(environment)
    return PackageIndex(address=address.rstrip("/"), proxy=settings.get("proxy"), certificates=settings.get("cert"))


def _default(environment: Mapping[str, str]) -> str:
    argv = [program("uv"), "pip", "compile", "-", "--emit-index-url", "--no-header", "--offline", "--quiet", "--no-config"]
    argv += ["--python", sys.executable]
    done = subprocess.run(argv, input="", capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS, env=dict(environment))
    for line in done.stdout.splitlines():
        if line.startswith(OPTION):
            return line.removeprefix(OPTION).strip()
    raise NotAsked("this machine's settings of pip name no package index")
