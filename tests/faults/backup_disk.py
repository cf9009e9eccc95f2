"""A disk of its own for a repository: one that can be full, and one whose power can be cut, which loses what was not written to it yet."""

import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHUTDOWN = 0x8004587D
"""ext4's EXT4_IOC_SHUTDOWN, as the file system tests of Linux simulate a power failure (src/godown.c of xfstests)."""
NO_FLUSH = 2
DISK_BYTES = 96 * 1024**2


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[Path]:
    """Mount a disk that holds no more than that, for the length of the block."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs-tbackup", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def disk_with_power(folder: Path) -> Iterator[Path]:
    """Mount an ext4 file system of its own for the length of the block."""
    image = folder.with_suffix(".image")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    power_on(folder)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        image.unlink()


def power_on(folder: Path) -> None:
    """Mount it, as a machine does that comes up."""
    subprocess.run(["mount", "-o", "loop", str(folder.with_suffix(".image")), str(folder)], check=True)


def power_off(folder: Path) -> None:
    """Cut its power: what is not on it by now never comes there."""
    with Path("/proc/self/mounts").open() as mounts:
        assert any(line.split()[1] == str(folder) for line in mounts), f"{folder} is no disk of its own"
    with open_folder(folder) as descriptor:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_FLUSH))


def power_off_command(folder: Path) -> str:
    """The same as a command of a shell."""
    root = Path(__file__).resolve().parents[2]
    return f"PYTHONPATH={root} {sys.executable} -m tests.faults.backup_disk {folder}"


def after_power_cut(folder: Path) -> None:
    """Let it come up again: its file system finds what was written."""
    subprocess.run(["umount", str(folder)], check=True)
    power_on(folder)


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    """Its descriptor."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    power_off(Path(sys.argv[1]))
