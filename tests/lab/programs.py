"""Run a program of the machine, and say what it said when it fails."""

import subprocess
from collections.abc import Sequence

PATIENCE_SECONDS = 60


class ProgramFailed(Exception):
    """A program of the machine ended with an error; the message is its command line and what it said, `said` its last words."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{' '.join(argv)} ended with {code}: {output}")
        self.said = (output.strip().splitlines() or ["it said nothing"])[-1]


def run(*argv: str, patience_seconds: float = PATIENCE_SECONDS, text: str | None = None) -> str:
    """Return what the program prints; raises ProgramFailed."""
    ended = subprocess.run(argv, input=text or "", capture_output=True, text=True, timeout=patience_seconds, check=False)
    if ended.returncode:
        raise ProgramFailed(argv, ended.returncode, ended.stdout[-1000:] + ended.stderr[-2000:])
    return ended.stdout


def succeeds(*argv: str) -> bool:
    """Whether the program ends well; what it says is not wanted."""
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_SECONDS, check=False).returncode == 0
