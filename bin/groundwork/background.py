"""Programs that run beside the steps; what they say is kept apart until somebody waits for them."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from groundwork.progress import SHOWN_LOG_LINES, Progress, StepFailed

POLL_SECONDS = 0.05


@dataclass(kw_only=True)
class Background:
    """A program, started at once, with its output in a file of its own."""

    argv: Sequence[str]
    log_path: Path
    environment: Mapping[str, str] | None = None
    _process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Start it."""
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)

    def has_nothing_to_do(self) -> bool:
        """Wait until it says something or ends; whether it ended well without a word."""
        while self._process.poll() is None and not self.log_path.stat().st_size:
            time.sleep(POLL_SECONDS)
        return self._process.poll() == 0 and not self.log_path.stat().st_size

    def end(self) -> None:
        """Wait for its end, whatever that is."""
        self._process.wait()

    def join(self, progress: Progress, *, next_action: str) -> None:
        """Wait for its end and move its output to the log of the steps; raises StepFailed with its last lines."""
        code = self._process.wait()
        said = self.log_path.read_bytes()
        with progress.log_path.open("ab") as log:
            log.write(f"\n$ {' '.join(self.argv)}\n".encode() + said)
        self.log_path.unlink()
        if code:
            output = os.linesep.join(said.decode(errors="replace").splitlines()[-SHOWN_LOG_LINES:])
            raise StepFailed(f"{Path(self.argv[0]).name} ended with exit code {code}.", next_action=next_action, output=output)
