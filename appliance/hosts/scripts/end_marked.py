"""Await, then end, the processes on this host that carry a mark in their environment, or are in a control group of its name.

The secrets that were lent to them are removed.

Arguments: the mark as NAME=VALUE, the patience and the grace in seconds, the directory of the secrets.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.1


def marked(mark: bytes) -> "set[int]":
    """Process ids of those alive that carry the mark."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if carries(entry, mark) and " Z " not in (entry / "stat").read_text(errors="replace"):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def carries(entry: Path, mark: bytes) -> bool:
    """Whether a process does. Raises OSError when it is gone."""
    group = b"/" + mark.partition(b"=")[2]
    return mark in (entry / "environ").read_bytes().split(b"\0") or (entry / "cgroup").read_bytes().rstrip().endswith(group)


def await_none(mark: bytes, seconds: float) -> bool:
    """Whether none is left before the time is over."""
    deadline = time.monotonic() + seconds
    while marked(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def send(mark: bytes, number: "signal.Signals") -> None:
    """Signal every one of them."""
    for pid in marked(mark):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def main() -> None:
    """Politely first."""
    mark, patience, grace, secrets = os.fsencode(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
    if not await_none(mark, patience):
        send(mark, signal.SIGTERM)
        while not await_none(mark, grace):
            send(mark, signal.SIGKILL)
    shutil.rmtree(secrets, ignore_errors=True)


if __name__ == "__main__":
    main()
