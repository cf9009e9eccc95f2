"""Put up a host's firewall so that nobody is locked out by it, keep it, and take it away.

Read by a task through standard input: `python3 - VERB JSON`. `look` prints whether something else is wanted than is in force; `put_up` lets
the wanted rules in force and has systemd take them back after `patience_seconds`; `keep`, which only somebody who has just logged in can
call, ends that and makes them last over a reboot; `take_down` removes them. Each may be called again. The JSON holds `directory`, `rules`
(with @ssh_ports@ in it), `unit` (the text of the service) and `patience_seconds`. Prints one JSON object with `changed`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

NAME = "crm-appliance-firewall"
UNIT = Path(f"/etc/systemd/system/{NAME}.service")
WAY_BACK = f"{NAME}-way-back"
TABLE = ("inet", "crm_appliance")
USUAL_SSH = "22"
LOOPBACK = re.compile(r"127\.|\[::1\]")
SSH_PROGRAMS = re.compile(r'\("(sshd[^"]*|dropbear)"')


class FirewallFailed(Exception):
    """The message says what is in force."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    directory: Path
    rules: str
    unit: str
    patience_seconds: int

    @property
    def kept(self) -> Path:
        """The rules that come back after a reboot."""
        return self.directory / "firewall.nft"

    @property
    def tried(self) -> Path:
        """The rules that nobody has logged in through yet."""
        return self.directory / "firewall.nft.tried"

    @property
    def wanted(self) -> str:
        """The rules, with the ports that SSH is reached by here."""
        return self.rules.replace("@ssh_ports@", ", ".join(ssh_ports()))


def run(*argv: str) -> str:
    """Run a program; its error output becomes the failure's message."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FirewallFailed(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Whether a program ends well."""
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def ssh_ports() -> list[str]:
    """Every port that an SSH server listens on, by itself or through systemd; the usual one where none can be told."""
    addresses = [line.split()[3] for line in run("ss", "-Hltnp").splitlines() if SSH_PROGRAMS.search(line)]
    if succeeds("systemctl", "is-active", "ssh.socket"):
        addresses += re.findall(r"(\S+:\d+) \(Stream\)", run("systemctl", "show", "--property=Listen", "ssh.socket"))
    ports = {address.rpartition(":")[2] for address in addresses if not LOOPBACK.match(address)}
    return sorted(ports, key=int) or [USUAL_SSH]


def write(file: Path, text: str) -> None:
    """Replace a file in one step, durably."""
    new = file.with_name(f".{file.name}.new")
    with new.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


def read(file: Path) -> str:
    """What a file holds; nothing when it is not there."""
    return file.read_text() if file.exists() else ""


def is_kept(request: Request) -> bool:
    """Whether the wanted rules are in force and come back after a reboot."""
    settled = (read(request.kept), read(UNIT)) == (request.wanted, request.unit) and not request.tried.exists()
    return settled and succeeds("systemctl", "is-enabled", NAME) and succeeds("systemctl", "is-active", NAME) and is_up()


def is_up() -> bool:
    """Whether the table is there."""
    return succeeds("nft", "list", "table", *TABLE)


def is_on_trial() -> bool:
    """Whether systemd still waits to take the rules back."""
    return succeeds("systemctl", "is-active", f"{WAY_BACK}.timer")


def look(request: Request) -> dict[str, object]:
    """Whether it has to be put up, or (`there`) could be taken down."""
    there = UNIT.exists() or request.kept.exists() or request.tried.exists()
    return {"changed": False, "kept": there and is_kept(request), "there": there}


def put_up(request: Request) -> dict[str, object]:
    """Let the wanted rules in force for a while."""
    if is_on_trial() and read(request.tried) == request.wanted:
        return {"changed": False}
    if read(request.tried) and not is_on_trial():
        request.tried.unlink()
        raise FirewallFailed(
            f"The firewall was taken back, since nobody had logged in within {request.patience_seconds} seconds after it was put up. "
            "See that the SSH server's port is among the rules, and prepare the host again, or do so without a firewall."
        )
    write(request.tried, request.wanted)
    run("nft", "--check", "--file", str(request.tried))
    arm(request)
    run("nft", "--file", str(request.tried))
    return {"changed": True}


def arm(request: Request) -> None:
    """Have what is kept put back in force, or no rules at all, unless somebody prevents it."""
    subprocess.run(["systemctl", "stop", f"{WAY_BACK}.timer"], capture_output=True, check=False)
    subprocess.run(["systemctl", "reset-failed", f"{WAY_BACK}.service"], capture_output=True, check=False)
    back = f"if [ -e {request.kept} ]; then nft --file {request.kept}; else nft delete table {' '.join(TABLE)}; fi"
    when = (f"--on-active={request.patience_seconds}s", "--timer-property=AccuracySec=1s")
    run("systemd-run", "--quiet", f"--unit={WAY_BACK}", *when, "/bin/sh", "-c", back)


def keep(request: Request) -> dict[str, object]:
    """Let the rules that are tried last."""
    if is_on_trial():
        run("systemctl", "stop", f"{WAY_BACK}.timer")
    elif request.tried.exists():
        return put_up(request)  # which says that it came too late
    if request.tried.exists():
        request.tried.replace(request.kept)
    write(UNIT, request.unit)
    run("systemctl", "daemon-reload")
    run("systemctl", "enable", "--quiet", NAME)
    run("systemctl", "start", NAME)
    return {"changed": True}


def take_down(request: Request) -> dict[str, object]:
    """Leave no rule in force, and none for the next boot."""
    subprocess.run(["systemctl", "stop", f"{WAY_BACK}.timer"], capture_output=True, check=False)
    if UNIT.exists():
        run("systemctl", "disable", "--quiet", "--now", NAME)
        UNIT.unlink()
        run("systemctl", "daemon-reload")
    if is_up():
        run("nft", "delete", "table", *TABLE)
    for file in (request.kept, request.tried):
        file.unlink(missing_ok=True)
    return {"changed": True}


VERBS: dict[str, Callable[[Request], dict[str, object]]] = {"look": look, "put_up": put_up, "keep": keep, "take_down": take_down}


def main(verb: str, text: str) -> int:
    """Carry out one verb and print what changed."""
    spec = json.loads(text)
    request = Request(
        directory=Path(spec["directory"]), rules=spec["rules"], unit=spec["unit"], patience_seconds=int(spec["patience_seconds"])
    )
    try:
        print(json.dumps(VERBS[verb](request)))
    except FirewallFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
