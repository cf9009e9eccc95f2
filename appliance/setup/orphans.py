"""What a supervisord that was killed has left running: it holds ports and locks that the next supervisord's programs need.

A program of supervisord stays in supervisord's session unless it makes its own, as the carriers of operations do on purpose: they
are left alone. A session's id means nothing after a reboot or in another container, so it is kept with the start of process 1; and
a process that has the number now but began at another time shows that the number was given to another session.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

GRACE_SECONDS = 30
POLL_SECONDS = 0.05


def note_session(record: Path, pid: int) -> None:
    """Write which session the supervisord `pid`, and with it its programs, belongs to."""
    session = os.getsid(pid)
    record.write_text(f"{session} {_boot()} {_started(session)}")


def end_orphans(record: Path) -> int:
    """End the programs of the noted supervisord, if it died without them; returns how many there were."""
    orphans = _orphan_ids(record)
    for number in (signal.SIGTERM, signal.SIGKILL):
        _send(number, [pid for pid in orphans if _lives(pid)])
        _await_end(orphans)
    record.unlink(missing_ok=True)
    return len(orphans)


def _send(number: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _await_end(pids: list[int]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _orphan_ids(record: Path) -> list[int]:
    try:
        session, boot, started = record.read_text().split()
    except (FileNotFoundError, ValueError):
        return []
    if boot != _boot() or _started(int(session)) not in {started, None}:
        return []
    return [pid for pid in psutil.pids() if _session(pid) == int(session)]


def _started(pid: int) -> str | None:
    """When a process began; None when there is no such process."""
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def _boot() -> str:
    return f"{psutil.boot_time():.0f}-{psutil.Process(1).create_time():.2f}"


def _lives(pid: int) -> bool:
    """Whether it runs; a killed one whose parent has not asked for it does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
