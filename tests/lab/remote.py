"""A host as ssh reaches it."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Ended = subprocess.CompletedProcess[str]


class HostFailed(Exception):
    """A command on a host ended with an error, or the host did not do what it was told; the message says what it said."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """Where a host is, what its key is, and the keys that open it."""

    address: str
    port: int
    known_hosts: Path
    root_key: Path
    key_file: Path

    def argv(self, user: str, *command: str) -> list[str]:
        """The command line of ssh; the host's key is checked, and no configuration of this machine's is read."""
        key = self.root_key if user == "root" else self.key_file
        return ["ssh", *self._options(key), "-p", str(self.port), f"{user}@{self.address}", "--", *command]

    def run(self, user: str, command: str | Sequence[str], *, text: str | None, check: bool, patience_seconds: float) -> Ended:
        """Run a command (a string is for the shell there); raises HostFailed when it fails and `check` is wanted."""
        line = command if isinstance(command, str) else shlex.join(command)
        argv = self.argv(user, line)
        ended = subprocess.run(argv, input=text or "", capture_output=True, text=True, timeout=patience_seconds, check=False)
        if check and ended.returncode:
            raise HostFailed(f"{user}@{self.address}: {line!r} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
        return ended

    def copy(self, source: str, target: str) -> None:
        """Copy a file or folder as root; the side that begins with `:` is the host's."""
        sides = [f"root@{self.address}{side}" if side.startswith(":") else side for side in (source, target)]
        argv = ["scp", "-q", "-r", "-p", *self._options(self.root_key), "-P", str(self.port), *sides]
        ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise HostFailed(f"{source} could not be copied to {target}: {ended.stderr}")

    def _options(self, key: Path) -> list[str]:
        options = {
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self.known_hosts),
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "LogLevel": "ERROR",
        }
        return ["-F", "none", "-i", str(key), *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
