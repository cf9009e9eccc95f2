"""Keep the processes of one operation together, so that what a dead worker left behind can be seen, awaited and ended.

A cgroup (version 2) holds every descendant, whatever it does to its session or environment. Where the machine lends none
(an unprivileged container), a marker in the environment finds them instead.
"""

import contextlib
import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

MARKER = "APPLIANCE_OPERATION"
POLL_SECONDS = 0.02


class Confinement(Protocol):
    """The processes of one operation."""

    def enter(self) -> None:
        """Put this process, and with it all its descendants to come, inside."""

    def members(self) -> set[int]:
        """Process ids of those alive inside."""

    def leave_nothing(self) -> None:
        """Remove what is left of the confinement itself, once it is empty."""


@dataclass(frozen=True, kw_only=True)
class Cgroup:
    """A cgroup of its own."""

    directory: Path

    def enter(self) -> None:
        """Make the group and move in."""
        self.directory.mkdir(exist_ok=True)
        (self.directory / "cgroup.procs").write_text(str(os.getpid()))

    def members(self) -> set[int]:
        """Read them from the kernel; a process that has ended but was not yet waited for does not count."""
        try:
            listed = {int(line) for line in (self.directory / "cgroup.procs").read_text().split()}
        except FileNotFoundError:
            return set()
        return {pid for pid in listed if _is_alive(pid)}

    def leave_nothing(self) -> None:
        """Remove the group."""
        with contextlib.suppress(OSError):
            self.directory.rmdir()


@dataclass(frozen=True, kw_only=True)
class Marked:
    """Processes that carry a marker in their environment, and the one that put it there."""

    name: str
    file: Path

    def enter(self) -> None:
        """Mark this process: its environment for its children, a file for itself."""
        os.environ[MARKER] = self.name
        self.file.write_text(f"{os.getpid()} {psutil.Process().create_time()}")

    def members(self) -> set[int]:
        """Look through all processes of the machine."""
        found = {process.pid for process in psutil.process_iter() if _environment(process).get(MARKER) == self.name}
        return {pid for pid in found | self._entered() if _is_alive(pid)}

    def leave_nothing(self) -> None:
        """Remove the file."""
        self.file.unlink(missing_ok=True)

    def _entered(self) -> set[int]:
        try:
            pid, created = self.file.read_text().split()
            return {int(pid)} if psutil.Process(int(pid)).create_time() == float(created) else set()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return set()


def confine(home: Path, operation_id: int) -> Confinement:
    """Give the confinement of an operation; called by the worker, before it forks. It is the same after a restart of the worker."""
    name = name_of(home, operation_id)
    base = _own_cgroup()
    if base is not None:
        return Cgroup(directory=base / name)
    return Marked(name=name, file=home / "run" / f"{name}.pid")


def sweep(home: Path) -> None:
    """Remove the empty confinements that a worker which was killed has left; one with somebody inside stays."""
    base = _own_cgroup()
    for directory in base.glob(name_of(home, "*")) if base is not None else ():
        Cgroup(directory=directory).leave_nothing()


def end(confinement: Confinement, *, grace_seconds: float, spare: int | None = None) -> None:
    """End everything inside, politely first; returns when nothing but `spare` is left."""
    _signal(confinement, signal.SIGTERM, spare)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and confinement.members() - {spare}:
        time.sleep(POLL_SECONDS)
    while confinement.members() - {spare}:
        _signal(confinement, signal.SIGKILL, spare)
        time.sleep(POLL_SECONDS)


def name_of(home: Path, operation_id: int | str) -> str:
    """The name of an operation's confinement, and of its mark on a managed host; no other appliance has the same."""
    return f"appliance-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}-{operation_id}"


def _signal(confinement: Confinement, number: signal.Signals, spare: int | None) -> None:
    for pid in confinement.members() - {spare}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _own_cgroup() -> Path | None:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    mount = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    path = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), None)
    if mount is None or path is None:
        return None
    own = mount / path.lstrip("/")
    return own if _is_usable(own) else None


def _is_usable(directory: Path) -> bool:
    probe = directory / f"appliance-probe-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError:
        return False
    return True


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}
