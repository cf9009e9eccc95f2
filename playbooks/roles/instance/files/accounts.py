"""Create the user of an instance, and take it away with everything that is left of the instance, so that each can be killed and run again.

Read by a task through standard input: `python3 - VERB JSON`. The JSON holds `user`, `home`, `directory` (the instance's own), `files` (what
others were told about it) and `firewall` (the unit that reads one of these). Prints one JSON object with `changed`.
"""

from __future__ import annotations

import grp
import json
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NOBODY_RUNS, NO_SUCH_USER = 1, 2


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    user: str
    home: str
    directory: Path
    files: tuple[Path, ...]
    firewall: str


def run(*argv: str, accepted: tuple[int, ...] = (0,)) -> int:
    """Run a program and return its exit code, or end with its error output."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode not in accepted:
        sys.exit(f"{argv[0]} failed with exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.returncode


def has_user(name: str) -> bool:
    """Whether there is such a user."""
    return any(entry.pw_name == name for entry in pwd.getpwall())


def has_group(name: str) -> bool:
    """Whether there is such a group."""
    return any(entry.gr_name == name for entry in grp.getgrall())


def create(request: Request) -> bool:
    """A system user with a group of its own, that nobody can log in as. True when something was missing."""
    changed = not (has_group(request.user) and has_user(request.user))
    if not has_group(request.user):
        run("groupadd", "--system", request.user)
    if not has_user(request.user):
        places = ["--home-dir", request.home, "--no-create-home", "--shell", "/usr/sbin/nologin"]
        run("useradd", "--system", "--gid", request.user, *places, request.user)
    return changed


def remove(request: Request) -> bool:
    """End what still runs as the user, remove the directory, the files, the user and its group. True when something was there."""
    ended = run("pkill", "-KILL", "-U", request.user, accepted=(0, NOBODY_RUNS, NO_SUCH_USER)) == 0
    forgotten = forget(request)
    changed = ended or forgotten or request.directory.exists() or has_user(request.user) or has_group(request.user)
    if request.directory.exists():
        shutil.rmtree(request.directory)
    if has_user(request.user):
        run("userdel", request.user)
    if has_group(request.user):
        run("groupdel", request.user)
    return changed


def forget(request: Request) -> bool:
    """Remove the files. True when one was there."""
    found = [file for file in request.files if file.exists()]
    for file in found:
        file.unlink()
    if found and request.firewall and subprocess.run(["systemctl", "--quiet", "is-active", request.firewall], check=False).returncode == 0:
        run("systemctl", "reload", request.firewall)
    return bool(found)


def main(verb: str, text: str) -> int:
    """Carry out one verb and print what changed."""
    spec = json.loads(text)
    request = Request(
        user=spec["user"],
        home=spec["home"],
        directory=Path(spec["directory"]),
        files=tuple(Path(file) for file in spec["files"]),
        firewall=spec["firewall"],
    )
    print(json.dumps({"changed": {"create": create, "remove": remove}[verb](request)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
