"""What `bin/up` has begun beside its own steps, and left to `appliance up`, which it became, to wait for: a child with a log of its own."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import StepFailed
from appliance.setup.progress import Progress

VARIABLE = "APPLIANCE_BEGUN"
TITLE = "Installing web server, database and backup"
SHOWN_LINES = 15
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Begun:
    """The child, and the file that its output goes to."""

    pid: int
    log: Path

    @property
    def is_silent(self) -> bool:
        """It says what it runs before it runs anything."""
        return not self.log.stat().st_size

    def has_ended(self) -> bool:
        """Whether it has; its exit code stays to be asked for."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def end(self) -> int:
        """Wait for its end and return its exit code; 0 when it was waited for already."""
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return 0


def begun(environment: Mapping[str, str]) -> Begun | None:
    """What is under way, as `bin/up` says it."""
    pid, _, log = environment.get(VARIABLE, "").partition(" ")
    return Begun(pid=int(pid), log=Path(log)) if pid else None


def finish(child: Begun | None, progress: Progress) -> None:
    """Wait for the Debian packages of a CRM's host; raises StepFailed with the last lines of what did not end well."""
    while child and child.is_silent and not child.has_ended():
        time.sleep(POLL_SECONDS)
    if child is None or (child.is_silent and child.end() == 0):
        progress.skip(TITLE)
        return
    with progress.step(TITLE):
        if code := child.end():
            lines = child.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
            said = "\n".join(f"    {line}" for line in lines)
            raise StepFailed(f"apt-get ended with exit code {code}; see that `apt-get update` works on this machine.\n{said}")
