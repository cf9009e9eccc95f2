"""The Debian packages that the first CRM needs, installed while Python's packages are: `bin/up` starts this and waits for it later.

What is installed is what the role `host` would install later, by its own list and its own source for restic; the role then finds it done.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundwork import packages

TREE = Path(__file__).resolve().parents[2]
ROLE = TREE / "playbooks" / "roles" / "host"
PRODUCTS = TREE / "appliance" / "products"
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/appliance.conf")
POLICY = Path("/usr/sbin/policy-rc.d")
NOTHING_STARTS = "#!/bin/sh\n# Written by bin/up for as long as it installs packages.\nexit 101\n"
RESTIC_SOURCE = Path("/etc/apt/sources.list.d/appliance-restic.sources")
RESTIC_PREFERENCES = Path("/etc/apt/preferences.d/appliance-restic.pref")
APT = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
ONE_SOURCE = tuple(
    word
    for setting in (
        f"Dir::Etc::SourceList={RESTIC_SOURCE}",
        "Dir::Etc::SourceParts=/dev/null",
        "APT::Get::List-Cleanup=0",
        "Acquire::Languages=none",
    )
    for word in ("-o", setting)
)
"""Settings with which apt fetches the index of that source alone, and forgets none of the others."""


def wanted() -> list[str]:
    """What every host of CRMs needs, and what the default product needs beside it."""
    product = PRODUCTS / (PRODUCTS / "default").read_text().strip() / "product.yml"
    base = flow_list((ROLE / "defaults" / "main.yml").read_text(), "host_base_packages")
    return base + flow_list(product.read_text(), "apt")


def flow_list(text: str, key: str) -> list[str]:
    """Read `key: [a, b]` out of YAML, for which there is no reader yet; empty where it is not written like that."""
    found = re.search(rf"\b{key}: \[([^\]]*)\]", text)
    return [word.strip() for word in found[1].split(",") if word.strip()] if found else []


def restic_is_old() -> bool:
    """Whether the restic that is installed, or else the one that would be, is older than the role accepts."""
    minimum = re.search(r'^host_restic_minimum: "(.+)"$', (ROLE / "defaults" / "main.yml").read_text(), re.MULTILINE)
    shown = re.search(r"^Version: (\S+)$", ask("apt-cache", "show", "--no-all-versions", "restic"), re.MULTILINE)
    version = ask("dpkg-query", "--show", "--showformat=${Version}", "restic") or (shown[1] if shown else "")
    if minimum is None or not version:
        return False
    return subprocess.run(["dpkg", "--compare-versions", version, "lt", minimum[1]], check=False).returncode == 0


def ask(*argv: str) -> str:
    """What a program prints; nothing when it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def run(*argv: str) -> None:
    """Run a program, or end with its exit code."""
    print(f"$ {' '.join(argv)}", flush=True)
    code = subprocess.run(argv, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, check=False).returncode
    if code:
        sys.exit(code)


def take_restic_from_the_next_debian() -> None:
    """Let restic, and nothing but it, come from there; the role's own files say how."""
    source = ask(sys.executable, str(ROLE / "files" / "restic_source.py"))
    if not source:
        return  # the role says why
    RESTIC_PREFERENCES.write_text((ROLE / "files" / "restic.pref").read_text())
    RESTIC_SOURCE.write_text(source)
    run(*APT, *ONE_SOURCE, "update")


def keep_from_creating_a_cluster() -> None:
    """Debian's package creates a cluster on its first installation; every instance has its own instead."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        NO_CLUSTER.write_text("create_main_cluster = false\n")


@contextmanager
def started_by_nobody() -> Iterator[None]:
    """Where no systemd runs, services are started by the appliance's own service manager, not by the packages."""
    if Path("/run/systemd/system").is_dir():
        yield
        return
    kept = POLICY.with_name("policy-rc.d.appliance")
    if POLICY.exists() and POLICY.read_text() != NOTHING_STARTS:
        POLICY.replace(kept)
    POLICY.write_text(NOTHING_STARTS)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
        if kept.exists():
            kept.replace(POLICY)


def main() -> int:
    """Install what is missing; ends with apt's exit code where it fails."""
    if os.environ.get("APPLIANCE_LISTS_ARE_NEW") != "1" and packages.missing(wanted()):
        run(*APT, "update")
    missing, is_old = packages.missing(wanted()), restic_is_old()
    if is_old:
        take_restic_from_the_next_debian()
    if missing or is_old:
        keep_from_creating_a_cluster()
        with started_by_nobody():
            run(*APT, "install", "--no-install-recommends", *dict.fromkeys([*missing, *(["restic"] if is_old else [])]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
