"""Programs that run beside the steps, each with its output in a file of its own."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(kw_only=True)
class Background:
    """A program, started at once."""

    argv: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] | None = None
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Start it."""
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)

    def handed_over(self) -> str:
        """What whoever takes over from this process needs to wait for it: its number and its log (see `appliance/setup/begun.py`)."""
        return f"{self._process.pid} {self.log_path}"

    def end(self) -> None:
        """Wait for its end, whatever that is."""
        self._process.wait()
