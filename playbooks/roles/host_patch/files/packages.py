"""Bring Debian packages to wanted versions, with those from before kept first, and restart the services that use what was replaced.

Read by a task through standard input: `python3 - JSON`. The JSON holds `action` (install or put_back), `packages` (each with `name`,
`from` and `to`) and `kept` (a directory for the packages from before). May be killed at any point and run again. Its last line is a JSON
object: `changed`, and `restarted` (the services). Ends with a sentence on standard error when a package does not have the wanted version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

APT = ["apt-get", "--yes", "--quiet=2", "--no-remove", "--option=DPkg::Lock::Timeout=300"]
KEEP_CONFIGURATION = ["--option=Dpkg::Options::=--force-confdef", "--option=Dpkg::Options::=--force-confold"]
ARCHIVES = Path("/var/cache/apt/archives")
# Restarts are made once, at the end, and by nothing that apt starts.
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
NEEDRESTART = "/usr/sbin/needrestart"


def run(argv: list[str], directory: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """A program's end; what it says is kept from our own output."""
    environment = {**ENVIRONMENT, **more}
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=directory, stdin=subprocess.DEVNULL)


def must(argv: list[str]) -> None:
    """Run a program, or end with what it said at last."""
    done = run(argv)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        sys.exit(f"{' '.join(argv[:1])} failed with exit code {done.returncode}: {' '.join(said[-3:])}")


def installed(names: list[str]) -> dict[str, str]:
    """The versions of those of the packages that are installed."""
    if not names:
        return {}
    form = "--showformat=${binary:Package} ${Package} ${Version} ${db:Status-Status}\n"
    found = {}
    for line in run(["dpkg-query", "--show", form, *names]).stdout.splitlines():
        full, name, version, status = line.split()
        if status == "installed":
            found[full] = version
            found.setdefault(name, version)
    return found


def keep(directory: Path, name: str, version: str) -> None:
    """Keep the package that is installed: from the archive, from apt's cache, or made from its files."""
    plain = name.partition(":")[0]
    pattern = f"{plain}_{version.replace(':', '%3a')}_*.deb"
    if any(directory.glob(pattern)) or any(directory.glob(f"{plain}_{version.partition(':')[2] or version}_*.deb")):
        return
    if not run(["apt-get", "--quiet=2", "download", f"{name}={version}"], str(directory)).returncode:
        return
    for file in ARCHIVES.glob(pattern):
        (directory / file.name).write_bytes(file.read_bytes())
        return
    if run(["dpkg-repack", name], str(directory)).returncode:
        sys.exit(f"{name} {version} cannot be kept as the way back; nothing was updated")


def forget_all_but(kept: Path) -> None:
    """Remove what earlier runs have kept: the way back is from the newest run only, and disks are finite."""
    for earlier in kept.parent.glob("*"):
        if earlier != kept:
            shutil.rmtree(earlier)


def bring(wanted: list[str], names: list[str], *more: str) -> None:
    """Let apt install, without telling it that somebody asked for each of them."""
    automatic = set(run(["apt-mark", "showauto", *names]).stdout.split())
    must([*APT, *KEEP_CONFIGURATION, *more, "install", *wanted])
    if automatic:
        must(["apt-mark", "auto", *sorted(automatic)])


def restart() -> list[str]:
    """Let needrestart restart what it names; those that it only names, as what people are logged in with, stay."""
    said = run([NEEDRESTART, "-b", "-r", "l"], NEEDRESTART_SUSPEND="").stdout
    named = sorted(line.partition(":")[2].strip() for line in said.splitlines() if line.startswith("NEEDRESTART-SVC:"))
    if named:
        run([NEEDRESTART, "-q", "-r", "a"], NEEDRESTART_SUSPEND="")
    return named


def main(text: str) -> int:
    """Do it and print what was done."""
    asked = json.loads(text)
    wanted = {one["name"]: one["to" if asked["action"] == "install" else "from"] for one in asked["packages"]}
    kept = Path(asked["kept"])
    must(["dpkg", "--configure", "-a"])
    there = installed(list(wanted))
    differing = sorted(name for name, version in wanted.items() if there.get(name) != version)
    if differing and asked["action"] == "install":
        forget_all_but(kept)
        kept.mkdir(parents=True, exist_ok=True)
        for name in differing:
            keep(kept, name, there[name])
        bring([f"{name}={wanted[name]}" for name in differing], differing)
    elif differing:
        bring([str(file) for file in sorted(kept.glob("*.deb"))], differing, "--allow-downgrades")
    after = installed(list(wanted))
    if wrong := sorted(name for name, version in wanted.items() if after.get(name) != version):
        sys.exit(f"these do not have the wanted version: {', '.join(f'{name} {after.get(name)}' for name in wrong)}")
    restarted = restart()
    print(json.dumps({"changed": bool(differing or restarted), "packages": differing, "restarted": restarted}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
