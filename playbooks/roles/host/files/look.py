"""Say what a machine lacks, in one program instead of a task for each question. Changes nothing.

Read by a task through standard input: `python3 - JSON`. The JSON holds `packages` (names), `restic` (the oldest version that will do) and
`files` (content by path). Prints one JSON object: `packages` (those that are not installed), `restic` (whether an older one is installed,
or none), `files` (those that hold something else) and `site` (whether nginx serves Debian's welcome page, as Debian ships it).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

AVAILABLE, ENABLED = Path("/etc/nginx/sites-available/default"), Path("/etc/nginx/sites-enabled/default")


def ask(*argv: str) -> str:
    """What a program prints, whatever its exit code."""
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def missing(packages: list[str]) -> list[str]:
    """Those that are not installed; a package that is unknown is not."""
    rows = [line.split() for line in ask("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *packages).splitlines()]
    installed = {name for name, status in rows if status == "installed"}
    return [name for name in packages if name not in installed]


def lacks_restic(minimum: str) -> bool:
    """Whether the restic that is installed cannot do what backups need."""
    version = ask("dpkg-query", "--show", "--showformat=${Version}", "restic")
    return not version or subprocess.run(["dpkg", "--compare-versions", version, "lt", minimum], check=False).returncode == 0


def welcomes() -> bool:
    """Whether Debian's site is enabled and nobody has made it their own."""
    enabled = ENABLED.is_symlink() and ENABLED.readlink() == AVAILABLE
    return enabled and str(AVAILABLE) not in ask("dpkg", "--verify", "nginx-common")


def main(text: str) -> int:
    """Look and print."""
    asked = json.loads(text)
    files = [name for name, content in asked["files"].items() if not Path(name).exists() or Path(name).read_text() != content]
    lacks = {"packages": missing(asked["packages"]), "restic": lacks_restic(asked["restic"]), "files": files, "site": welcomes()}
    print(json.dumps(lacks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
