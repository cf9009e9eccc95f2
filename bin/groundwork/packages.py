"""Debian packages: only what is missing, and no index is fetched when nothing is."""

import os
import subprocess
from collections.abc import Sequence

from groundwork.progress import Progress

NEXT_ACTION = "Check that `apt-get update` works on this machine, then run the command again; nothing else was changed."


def missing(packages: Sequence[str]) -> list[str]:
    """Return those of `packages` that are not installed."""
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in listed.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def install(progress: Progress, packages: Sequence[str]) -> None:
    """Install what is missing of `packages`; raises StepFailed."""
    wanted = missing(packages)
    if not wanted:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
    progress.run([*apt, "update"], environment=environment, next_action=NEXT_ACTION)
    progress.run([*apt, "install", "--no-install-recommends", *wanted], environment=environment, next_action=NEXT_ACTION)
