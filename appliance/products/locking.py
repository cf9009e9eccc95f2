"""Make the lock file of one release: every dependency pinned, with the digests that the supported machines need and no others.

    python -m appliance.products.locking 'some-crm[pgsql]==2.8.6' --also gunicorn --before 2026-11-21 locks/2.8.6.txt

uv resolves for all machines at once; of each package only the files are kept that CPython 3.11 to 3.13 on 64-bit
Intel or ARM Linux would take, which makes a lock thirteen times smaller. The file names no package index, so it can be used with
a mirror or a bundle. The same packages and the same date give the same lock.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

PYTHONS = ("3.11", "3.12", "3.13")
ARCHITECTURES = ("x86_64", "aarch64")
NEWEST_GLIBC_MINOR = 36
"""Debian 12 has glibc 2.36; what is built against a newer one does not load there."""
OLDEST_GLIBC_MINOR = 5
FIRST_PATCH_RELEASES = (0, 2, 99)
"""Markers such as python_full_version < '3.11.3' must hold for Debian's 3.11.2 as well as for the last of a series."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A kind of machine that a lock must serve."""

    python: str
    architecture: str

    def tags(self) -> list[Tag]:
        """Every wheel tag the machine takes, the one it likes best first."""
        minors = range(NEWEST_GLIBC_MINOR, OLDEST_GLIBC_MINOR - 1, -1)
        legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        platforms = []
        for minor in minors:
            platforms.append(f"manylinux_2_{minor}_{self.architecture}")
            if minor in legacy:
                platforms.append(f"{legacy[minor]}_{self.architecture}")
        platforms.append(f"linux_{self.architecture}")
        major, minor_text = self.python.split(".")
        version, interpreter = (int(major), int(minor_text)), f"cp{major}{minor_text}"
        return [
            *cpython_tags(version, [interpreter], platforms),
            *compatible_tags(version, interpreter, platforms),
        ]

    def environments(self) -> Iterable[dict[str, str]]:
        """What environment markers are evaluated against."""
        for patch in FIRST_PATCH_RELEASES:
            yield {
                "implementation_name": "cpython",
                "implementation_version": f"{self.python}.{patch}",
                "os_name": "posix",
                "platform_machine": self.architecture,
                "platform_python_implementation": "CPython",
                "platform_release": "",
                "platform_system": "Linux",
                "platform_version": "",
                "python_full_version": f"{self.python}.{patch}",
                "python_version": self.python,
                "sys_platform": "linux",
                "extra": "",
            }


def machines(pythons: Iterable[str] = PYTHONS) -> tuple[Machine, ...]:
    """All kinds of machine, for the given series of Python."""
    return tuple(Machine(python=python, architecture=name) for python in pythons for name in ARCHITECTURES)


def _file_name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry["url"].rsplit("/", 1)[-1])


def _best_wheel(wheels: Sequence[Mapping[str, Any]], tags: Sequence[Tag]) -> Mapping[str, Any] | None:
    rank = {tag: position for position, tag in enumerate(tags)}
    fitting = []
    for wheel in wheels:
        positions = [rank[tag] for tag in parse_wheel_filename(_file_name(wheel))[3] if tag in rank]
        if positions:
            fitting.append((min(positions), _file_name(wheel), wheel))
    return min(fitting, key=lambda item: item[:2])[2] if fitting else None


def wanted_digests(package: Mapping[str, Any], supported: Sequence[Machine]) -> list[str]:
    """Digests (sha256) of the files that the supported machines install; the source distribution only where a wheel is missing."""
    digests = set()
    for machine in supported:
        chosen = _best_wheel(package.get("wheels", []), machine.tags()) or package.get("sdist")
        if chosen is None:
            raise SystemExit(f"{package['name']} {package['version']} has no file for CPython {machine.python} on {machine.architecture}.")
        digests.add(str(chosen["hashes"]["sha256"]))
    return sorted(digests)


def is_wanted(package: Mapping[str, Any], supported: Sequence[Machine]) -> bool:
    """False for what only other systems need, such as pywin32."""
    if "marker" not in package:
        return True
    marker = Marker(package["marker"])
    return any(marker.evaluate(environment) for machine in supported for environment in machine.environments())


def render(packages: Sequence[Mapping[str, Any]], supported: Sequence[Machine], *, title: str) -> str:
    """The text of a lock, in the format of a requirements file."""
    lines = [f"# {title}"]
    for package in packages:
        if not is_wanted(package, supported):
            continue
        requirement = f"{package['name']}=={package['version']}"
        if "marker" in package:
            requirement += f" ; {package['marker']}"
        lines.append(" \\\n".join([requirement, *(f"    --hash=sha256:{digest}" for digest in wanted_digests(package, supported))]))
    return "\n".join(lines) + "\n"


def resolve(requirements: Sequence[str], *, oldest_python: str, before: str, uv: str) -> list[dict[str, Any]]:
    """Ask uv for one resolution that holds on every machine."""
    with tempfile.TemporaryDirectory(prefix="locking-") as directory:
        wanted, result = Path(directory, "wanted.in"), Path(directory, "pylock.toml")
        wanted.write_text("\n".join(requirements) + "\n")
        arguments = ["--universal", "--python-version", oldest_python, "--exclude-newer", before, "--no-annotate", "--no-header", "--quiet"]
        subprocess.run([uv, "pip", "compile", wanted, *arguments, "--format", "pylock.toml", "-o", result], check=True, cwd=directory)
        packages: list[dict[str, Any]] = tomllib.loads(result.read_text())["packages"]
    return packages


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one lock and print its digest for the product definition."""
    parser = argparse.ArgumentParser(prog="python -m appliance.products.locking", description=__doc__.splitlines()[0])
    parser.add_argument("package", help="requirement of the release, pinned with ==")
    parser.add_argument("--also", action="append", default=[], help="another requirement, such as a web server")
    parser.add_argument("--before", required=True, help="only packages published before this date (YYYY-MM-DD)")
    parser.add_argument("--python", action="append", help=f"series of Python to serve (default: {', '.join(PYTHONS)})")
    parser.add_argument("--uv", default="uv", help="path of uv")
    parser.add_argument("lock", type=Path, help="file to write")
    given = parser.parse_args(arguments)
    pythons = given.python or list(PYTHONS)
    packages = resolve([given.package, *given.also], oldest_python=pythons[0], before=given.before, uv=given.uv)
    title = (
        f"{given.package} for CPython {', '.join(pythons)} on Linux {', '.join(ARCHITECTURES)}; packages published before {given.before}"
    )
    text = render(packages, machines(pythons), title=title)
    given.lock.write_text(text)
    print(f"{given.lock.name} {hashlib.sha256(text.encode()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
