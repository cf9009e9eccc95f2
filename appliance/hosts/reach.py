"""How commands get to a host: directly on this machine, over SSH and sudo on a managed one. Callers need not know which."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from appliance.errors import HostRefused, HostUnreachable, StepFailed
from appliance.hosts.ssh_files import control_path

PYTHON = "/usr/bin/python3"
SSH_FAILED = 255
PERSIST_SECONDS = 300
BOOT = "cat /proc/sys/kernel/random/boot_id; systemctl is-system-running | grep -x stopping"
REFUSALS = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "shows another host key than the one that was confirmed"),
    ("Host key verification failed", "shows another host key than the one that was confirmed"),
    ("Permission denied (", "does not let the appliance log in with its key"),
    ("Load key", "cannot be reached with the key that was given, which is not a usable private key"),
    ("sudo: a password is required", "lets the user in, but sudo asks for a password"),
    ("sudo: command not found", "has no sudo"),
    ("sudo: not found", "has no sudo"),
    ("not in the sudoers file", "lets the user in, but not use sudo"),
    ("not allowed to execute", "lets the user in, but sudo does not let it become root"),
)
SAID_BY_SUDO = tuple(words for words, _ in REFUSALS if "sudo" in words or "allowed" in words)
"""Its code is not ssh's own; the others mean nothing when a program says them that ran there."""
MENDS = {
    "key": "If the machine was set up anew on purpose: appliance host trust NAME. Otherwise somebody may stand in between.",
    "log": "Put the public key into ~/.ssh/authorized_keys of that user there.",
    "sudo": "Let the user become root without a password: 'USER ALL=(ALL) NOPASSWD: ALL' in a file of /etc/sudoers.d there.",
}


class Reach(Protocol):
    """A way to one host."""

    @property
    def name(self) -> str:
        """The host's name, in the inventory too."""

    @property
    def inventory(self) -> dict[str, Any]:
        """The host for ansible-runner."""

    def command(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `argv` as root there."""

    def judge(self, code: int, said: str) -> None:
        """Raises HostUnreachable or HostRefused when it was the way, not the command, that failed."""

    def close(self) -> None:
        """Give up the connection, if one is kept."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """This machine."""

    name: str = "localhost"

    @property
    def inventory(self) -> dict[str, Any]:
        """Without a connection."""
        return {"all": {"hosts": {self.name: {"ansible_connection": "local", "ansible_python_interpreter": PYTHON}}}}

    def command(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> list[str]:
        """The command itself; what it inherits marks it already."""
        return ["env", *_assignments(environment), *argv] if environment else list(argv)

    def judge(self, code: int, said: str) -> None:
        """There is no way that could fail."""

    def close(self) -> None:
        """There is no connection."""


@dataclass(frozen=True, kw_only=True)
class Ssh:
    """A managed host. `channel` names a shared connection of one user's own: an operation, the monitor."""

    name: str
    user: str
    configuration: Path
    channel: str

    @property
    def inventory(self) -> dict[str, Any]:
        """Over the same shared connection as the commands."""
        variables = {
            "ansible_connection": "ssh",
            "ansible_host": self.name,
            "ansible_ssh_args": shlex.join(self._options()),
            "ansible_python_interpreter": PYTHON,
            "ansible_become": self._uses_sudo,
            "ansible_become_method": "sudo",
            "ansible_ssh_retries": 0,  # ansible would repeat a task that may still run there; the operation awaits its end first
        }
        return {"all": {"hosts": {self.name: variables}}}

    def command(self, argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> list[str]:
        """Through ssh, and sudo unless root logs in."""
        sudo = ["sudo", "-n", "-H", "--"] if self._uses_sudo else []
        assigned = ["env", *_assignments(environment)] if environment else []
        return ["ssh", *self._options(), self.name, "--", shlex.join([*sudo, *assigned, *argv])]

    def judge(self, code: int, said: str) -> None:
        """By what ssh and sudo are known to say."""
        for words, what in REFUSALS if code else ():
            if words in said and (code == SSH_FAILED or words in SAID_BY_SUDO):
                raise HostRefused(f"The host {self.name} {what}. Nothing more was done there. {_mend(words)}".replace("NAME", self.name))
        if code == SSH_FAILED:
            raise HostUnreachable(f"The host {self.name} cannot be reached: {_last_line(said)}.")

    def close(self) -> None:
        """End the shared connection; the host may be gone already."""
        argv = ["ssh", *self._options(), "-O", "exit", self.name]
        with suppress(subprocess.TimeoutExpired):  # it goes by itself some time after its last use
            subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20)

    @property
    def _uses_sudo(self) -> bool:
        return self.user != "root"

    def _options(self) -> list[str]:
        path = control_path(self.configuration, self.channel)
        shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", f"ControlPersist={PERSIST_SECONDS}"]
        return ["-F", str(self.configuration), *shared]


def ask(
    reach: Reach,
    argv: Sequence[str],
    *,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a short command as root on the host and give its end, whatever it is.

    Raises HostUnreachable, HostRefused, and StepFailed when the command is not there or takes too long.
    """
    command = reach.command(argv, environment=environment)
    source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_seconds, env=dict(os.environ), **source)
    except subprocess.TimeoutExpired:
        raise StepFailed(f"{argv[0]} did not end within {timeout_seconds:.0f} s on {reach.name}.") from None
    except OSError as error:
        raise StepFailed(f"{argv[0]} cannot be started: {error.strerror}.") from None
    reach.judge(done.returncode, done.stderr)
    return done


def ask_script(reach: Reach, script: str, *arguments: str, timeout_seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of `appliance.hosts.scripts` on the host. Raises what `ask` raises."""
    text = (Path(__file__).parent / "scripts" / f"{script}.py").read_text()
    return ask(reach, [PYTHON, "-", *arguments], given=text, timeout_seconds=timeout_seconds)


def boot_of(reach: Reach) -> str:
    """What differs when the machine was started anew, or is about to go down. Raises HostUnreachable, HostRefused."""
    return ask(reach, ["sh", "-c", BOOT]).stdout.strip() if isinstance(reach, Ssh) else ""


def _assignments(environment: Mapping[str, str] | None) -> list[str]:
    return [f"{name}={value}" for name, value in (environment or {}).items()]


def _mend(words: str) -> str:
    if "denied" in words or "Load key" in words:
        return MENDS["log"]
    return MENDS["sudo"] if "sudo" in words or "allowed" in words else MENDS["key"]


def _last_line(said: str) -> str:
    return next((line.strip(" :.").removeprefix("Task failed: ") for line in reversed(said.splitlines()) if line.strip(" :.")), "no answer")
