"""Run a script on a bare Debian of its own, and read the milestones that it prints."""

import contextlib
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import psutil

from benchmarks.figure import MeasureFailed

MACHINE = Path(__file__).resolve().parent.parent / "tests" / "bare" / "machine"
SUITE = "bookworm"
LONGEST_SECONDS = 1800
POLL_SECONDS = 0.1
SHOWN_LINES = 25
WAITED_FOR = frozenset({"unshare", "mmdebstrap"})
MARK = re.compile(r"^mark (\S+) ([0-9.]+)$", re.MULTILINE)
NO_CACHE = "umount /root/.cache/uv && rm -rf /root/.cache /var/cache/apt/archives/*.deb"
"""The machine lends what uv has downloaded before; here everything is downloaded."""


def run_script(script: str) -> str:
    """Run it with sh in a fresh machine and give what it printed. Raises MeasureFailed with its last lines.

    A script measures itself by marks, so that making the machine counts for nothing. The machine and all in it are gone afterwards.
    """
    with tempfile.TemporaryFile("w+") as output:
        argv = [str(MACHINE), SUITE, "sh", "-c", f"{NO_CACHE} || exit\n{script}"]
        machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = machine.wait(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            raise MeasureFailed(f"The bare machine was not ready after {LONGEST_SECONDS} s.\n{_last_lines(output)}") from None
        finally:
            _end(machine)
        if code:
            raise MeasureFailed(f"The script on the bare machine ended with {code}.\n{_last_lines(output)}")
        output.seek(0)
        return output.read()


def marks_in(output: str) -> dict[str, float]:
    """Read the lines `mark NAME SECONDS`, in seconds since 1970."""
    return {name: float(seconds) for name, seconds in MARK.findall(output)}


def parts_of(marks: Mapping[str, float]) -> str:
    """Say how long it took from each mark to the next."""
    moments = sorted(marks.items(), key=lambda mark: mark[1])
    return ", ".join(f"{name} {moment - before:.1f} s" for (name, moment), (_, before) in zip(moments[1:], moments, strict=False))


def seconds_between(marks: Mapping[str, float], first: str, last: str) -> float:
    """Raises MeasureFailed when one of the two was not reached."""
    missing = [name for name in (first, last) if name not in marks]
    if missing:
        raise MeasureFailed(f"The script on the bare machine never reached {' and '.join(missing)}.")
    return marks[last] - marks[first]


def _last_lines(output: IO[str]) -> str:
    output.seek(0)
    return "\n".join(output.read().splitlines()[-SHOWN_LINES:])


def _end(machine: subprocess.Popen[bytes]) -> None:
    """End what the machine's script waits for; with that a machine ends, and the script itself clears it away."""
    while machine.poll() is None:
        for child in psutil.Process(machine.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name() in WAITED_FOR:
                    child.kill()
        time.sleep(POLL_SECONDS)
