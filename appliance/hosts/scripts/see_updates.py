"""Ask this host's apt what it has updates for, and needrestart what waits for a restart; print one JSON object.

Nothing is installed. apt's lists are fetched anew when they are older than the seconds given as the argument. `problems` say what could
not be asked; then what is missing elsewhere in the answer is not known, and is not "nothing".
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

UPDATE = re.compile(r"^Inst (?P<name>\S+) \[(?P<installed>[^]]+)\] \((?P<candidate>\S+) (?P<origin>[^)]*?)(?: \[[^]]*\])?\)", re.MULTILINE)
SECURITY = re.compile(r"-security\b|Debian-Security")
LISTS = Path("/var/lib/apt/lists")
FETCHED = Path("/run/crm-host-apt-fetched")
NEEDRESTART = "/usr/sbin/needrestart"
ASK = ["apt-get", "--simulate", "--quiet", "--option=Debug::NoLocking=true"]
FETCH = ["apt-get", "--quiet", "--option=APT::Update::Error-Mode=any", "--option=DPkg::Lock::Timeout=120", "update"]
LONGEST_SECONDS = 600


def run(argv: "list[str]") -> "tuple[int, str, str]":
    """The end of a program: code, output, errors."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, "", str(error)
    return done.returncode, done.stdout, done.stderr


def listed_at() -> "float | None":
    """When the lists were fetched last, None when there are none."""
    files = [file.stat().st_mtime for file in LISTS.glob("*_Packages*")] + [file.stat().st_mtime for file in LISTS.glob("*InRelease")]
    return max(files, default=None)


def fetch(oldest_seconds: float) -> "str | None":
    """Fetch the lists if they are old; what went wrong, if anything."""
    if (at := fetched_at()) is not None and time.time() - at <= oldest_seconds:
        return None
    code, _, said = run(FETCH)
    if code:
        return f"apt's lists could not be fetched ({last_line(said)})"
    FETCHED.touch()
    return None


def fetched_at() -> "float | None":
    """When this program fetched the lists last: an unchanged list keeps the age that its server gives it."""
    return FETCHED.stat().st_mtime if FETCHED.exists() else None


def updates() -> "tuple[list[dict[str, object]], str | None]":
    """The packages with an update, and what went wrong, if anything."""
    code, said, errors = run([*ASK, "dist-upgrade"])
    if code:
        return [], f"apt cannot say what it would update ({last_line(errors)})"
    found = [match.groupdict() for match in UPDATE.finditer(said)]
    return [{**one, "security": bool(SECURITY.search(str(one["origin"])))} for one in found], None


def restarts() -> "list[str]":
    """The services that still use what was replaced on disk, where needrestart is there to say so."""
    if not Path(NEEDRESTART).exists():
        return []
    _, said, _ = run([NEEDRESTART, "-b", "-r", "l"])
    return sorted(line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("NEEDRESTART-SVC:"))


def needs_reboot() -> bool:
    """Whether a package asked for it, or a newer kernel than the one that runs is to be booted."""
    kernel = Path("/vmlinuz")
    newer = kernel.is_symlink() and kernel.resolve().name != f"vmlinuz-{platform.release()}"
    return newer or Path("/run/reboot-required").exists()


def last_line(said: str) -> str:
    """What a program said at last."""
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")[:300]


def main() -> None:
    """Ask and print."""
    fetching = fetch(float(sys.argv[1]))
    packages, asking = updates()
    lists = listed_at()
    absent = None if lists else "apt has no lists of packages"
    answer = {
        "packages": packages,
        "restarts": restarts(),
        "reboot_required": needs_reboot(),
        "listed_at": fetched_at() or lists,
        "problems": [problem for problem in (fetching, absent, asking) if problem],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
