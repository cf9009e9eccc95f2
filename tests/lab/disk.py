"""A host's disk: what it writes, over layers that are only read."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab.programs import run


@dataclass(frozen=True, kw_only=True)
class Layers:
    """What a host starts from: a base image, and what golden hosts wrote over it, the newest first."""

    release: str
    kind: str
    base: Path
    golden: tuple[Path, ...] = ()

    @property
    def lower(self) -> str:
        """As mount wants it."""
        return ":".join(str(path) for path in (*self.golden, self.base))


@dataclass(frozen=True, kw_only=True)
class Disk:
    """The disk in a host's directory: the machine's own file system, or memory of a given size that is full when it is full."""

    directory: Path
    size_bytes: int | None = None

    @property
    def content(self) -> Path:
        """What the host wrote."""
        return self.directory / "disk" / "upper"

    def make(self) -> None:
        """Make an empty one."""
        (self.directory / "root").mkdir(parents=True)
        (self.directory / "disk").mkdir()
        if self.size_bytes:
            run("mount", "-t", "tmpfs", "-o", f"size={self.size_bytes},mode=755", "crmlab", str(self.directory / "disk"))
        self._make_empty()

    def move_content(self, to: Path) -> None:
        """Take away what was written, and leave an empty disk; the host must be off."""
        shutil.rmtree(self.content.parent / "work")
        if self.size_bytes:
            run("cp", "-a", str(self.content), str(to))
            shutil.rmtree(self.content)
        else:
            self.content.rename(to)
        self._make_empty()

    def _make_empty(self) -> None:
        self.content.mkdir()
        self.content.chmod(0o755)  # it is the root directory of the host
        (self.content.parent / "work").mkdir()


def mounts_below(directory: Path) -> list[str]:
    """What is mounted there, the deepest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if point.startswith(f"{directory}/")), key=len, reverse=True)


def remove(directory: Path) -> None:
    """Unmount what is mounted below a host's directory, and remove it."""
    for point in mounts_below(directory):
        run("umount", "-l", point)
    if directory.is_dir():
        shutil.rmtree(directory)
