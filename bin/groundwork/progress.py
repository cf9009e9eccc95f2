"""Steps as a person follows them: one line each, the full output in a log, and a failure that says what to do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

SHOWN_LOG_LINES = 15


class StepFailed(Exception):
    """A step did not reach its end; carries its last output and what the administrator can do."""

    def __init__(self, message: str, *, next_action: str, output: str = "") -> None:
        super().__init__(message)
        self.next_action = next_action
        self.output = output


@dataclass(kw_only=True)
class Progress:
    """Numbers the steps `first` to `total` on `stream`, and keeps everything that programs say in the log at `log_path`."""

    total: int
    log_path: Path
    first: int = 1
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    _number: int = field(init=False)
    _title: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Begin before the first step."""
        self._number = self.first - 1
        self.log_path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def number(self) -> int:
        """The number of the step that was begun last."""
        return self._number

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step and, when it ends, how many seconds it took."""
        began = self.clock()
        self._announce(title)
        try:
            yield
        except BaseException:
            self._say("failed")
            raise
        self._say(f"{self.clock() - began:.0f} s")

    def skip(self, title: str) -> None:
        """Announce a step that has nothing to do."""
        self._announce(title)
        self._say("as before")

    def run(self, argv: Sequence[str], *, next_action: str, environment: Mapping[str, str] | None = None) -> None:
        """Run a program with its output in the log; raises StepFailed with its last lines."""
        with self.log_path.open("ab") as log:
            log.write(f"\n$ {' '.join(argv)}\n".encode())
            log.flush()
            began_at = log.tell()
            try:
                code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, check=False).returncode
            except OSError as error:
                raise StepFailed(f"{argv[0]} cannot be started: {error}.", next_action=next_action) from error
        if code:
            output = self._log_from(began_at)
            raise StepFailed(f"{Path(argv[0]).name} ended with exit code {code}.", next_action=next_action, output=output)

    def explain(self, failure: StepFailed) -> None:
        """Say which step failed, why, and what to do."""
        print(f"\nStep {self._number} of {self.total} failed: {self._title}.", file=sys.stderr)
        for line in failure.output.splitlines():
            print(f"    {line}", file=sys.stderr)
        print(f"Why: {failure}\nWhat to do: {failure.next_action}\nFull log: {self.log_path}", file=sys.stderr)

    def _announce(self, title: str) -> None:
        self._number += 1
        self._title = title
        self._say(f"[{self._number:2}/{self.total}] {title} … ", end="")

    def _log_from(self, offset: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(offset)
            lines = log.read().decode(errors="replace").splitlines()
        return os.linesep.join(lines[-SHOWN_LOG_LINES:])

    def _say(self, text: str, *, end: str = "\n") -> None:
        print(text, end=end, file=self.stream, flush=True)
