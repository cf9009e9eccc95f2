"""A machine that is not there: small programs in the place of ssh-keyscan and ssh say what such a machine would show."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.web_world import FACTS

FAR_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBVhqbnrBtyt4DPR8UuUOGPn6wB7CH3kmr4XMsFD1tQ9"


@dataclass(frozen=True, kw_only=True)
class FarMachine:
    """What answers at every address while `programs` comes first on the path."""

    programs: Path
    host_key: str = FAR_KEY

    def show_key(self) -> None:
        """Show the key to whoever asks."""
        self._write("ssh-keyscan", f"echo 192.0.2.2 {self.host_key}")

    def let_in(self) -> None:
        """Let everybody in, and tell what is seen there."""
        (self.programs / "facts.json").write_text(json.dumps(FACTS))
        self._write("ssh", f"cat {self.programs / 'facts.json'}")

    def refuse(self) -> None:
        """Let nobody in."""
        self._write("ssh", "echo 'admin@192.0.2.2: Permission denied (publickey).' >&2; exit 255")

    def _write(self, name: str, command: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{command}\n")
        file.chmod(0o755)


def put_in_the_way(programs: Path, monkeypatch: pytest.MonkeyPatch) -> FarMachine:
    """A machine that shows its key and lets everybody in, for this process and those that it starts."""
    machine = FarMachine(programs=programs)
    machine.show_key()
    machine.let_in()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return machine
