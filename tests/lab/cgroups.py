"""A control group per host, and one for the proxy: who belongs to it, and an end for all of them at once."""

import functools
from dataclasses import dataclass
from pathlib import Path

from tests.lab.waiting import wait_until


class NoControlGroups(Exception):
    """This machine lacks the control groups that are needed; the message says which."""


@functools.cache
def mounted(kind: str, controller: str = "") -> Path:
    """Where control groups of version 2 (kind `cgroup2`), or of version 1 with a controller (`cgroup`), are mounted."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        name, _, options = after.split()
        if name == kind and (not controller or controller in options.split(",")):
            return Path(before.split()[4])
    raise NoControlGroups(f"no {kind} {controller} is mounted".replace("  ", " "))


def family() -> Path:
    """The group that all groups of the lab are in."""
    return mounted("cgroup2") / "crmlab"


@dataclass(frozen=True, kw_only=True)
class Group:
    """The group of one host, or of the proxy."""

    name: str

    @property
    def directory(self) -> Path:
        """Its directory in the tree of version 2."""
        return family() / self.name

    @property
    def memory_directory(self) -> Path:
        """Where its memory is limited, on a machine whose memory controller is of version 1."""
        return mounted("cgroup", "memory") / f"crmlab-{self.name}"

    def make(self, *, memory_bytes: int | None = None) -> list[Path]:
        """Make it and return the files that a process joins it by; raises NoControlGroups when memory cannot be limited."""
        self.directory.mkdir(parents=True, exist_ok=True)
        joined = [self.directory / "cgroup.procs"]
        if memory_bytes is None:
            return joined
        if (self.directory / "memory.max").exists():
            (self.directory / "memory.max").write_text(str(memory_bytes))
            return joined
        self.memory_directory.mkdir(exist_ok=True)
        (self.memory_directory / "memory.limit_in_bytes").write_text(str(memory_bytes))
        return [*joined, self.memory_directory / "cgroup.procs"]

    def is_populated(self) -> bool:
        """Whether any process is alive in it."""
        try:
            return "populated 1" in (self.directory / "cgroup.events").read_text()
        except FileNotFoundError:
            return False

    def first_of_guest(self) -> int | None:
        """The process that is PID 1 inside the host, as the machine numbers it; None while there is none."""
        try:
            return int((self.directory / "payload" / "init.scope" / "cgroup.procs").read_text().split()[0])
        except (OSError, IndexError):
            return None

    def kill(self) -> None:
        """End every process in it, without a word."""
        if self.is_populated():
            (self.directory / "cgroup.kill").write_text("1")
            wait_until(lambda: not self.is_populated(), f"the processes of {self.name} to end")

    def remove(self) -> None:
        """Kill what is left in it, and remove it and what is below it."""
        self.kill()
        for path in sorted(self.directory.rglob("*"), key=lambda found: -len(found.parts)) if self.directory.is_dir() else ():
            if path.is_dir():
                path.rmdir()
        for directory in (self.directory, self._limit()):
            if directory is not None and directory.is_dir():
                directory.rmdir()

    def _limit(self) -> Path | None:
        try:
            return self.memory_directory
        except NoControlGroups:
            return None
