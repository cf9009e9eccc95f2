"""Metrics of the machine, read when Prometheus asks."""

import math
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence

import psutil

from monitoring.exporter.families import Family, counter, gauge
from monitoring.targets import Target


def collect_host() -> Iterator[Family]:
    """Processor, memory, load and boot time. Raises OSError and psutil.Error."""
    host = socket.gethostname()
    cpu = counter("appliance_host_cpu_seconds", "Time of the processors by mode.", ("host", "mode"))
    times = psutil.cpu_times()
    for mode in ("user", "system", "idle", "iowait", "steal"):
        cpu.add((host, mode), getattr(times, mode, 0))
    yield cpu
    memory = psutil.virtual_memory()
    yield _gauge("appliance_host_memory_available_bytes", "Memory that programs can still get.", host, memory.available)
    yield _gauge("appliance_host_memory_size_bytes", "Memory of the machine.", host, memory.total)
    yield _gauge("appliance_host_load1", "Processes that wanted to run, averaged over a minute.", host, os.getloadavg()[0])
    yield _gauge("appliance_host_boot_timestamp_seconds", "When the machine was started.", host, psutil.boot_time())


def _gauge(name: str, text: str, host: str, value: float) -> Family:
    family = gauge(name, text, ("host",))
    family.add((host,), value)
    return family


def collect_managed(targets: Sequence[Target], answers: Mapping[str, bool]) -> Family:
    """Whether the hosts that CRMs are watched on from here have answered; NaN before they were asked."""
    family = gauge("appliance_host_reachable", "Whether the managed host answered the appliance when it was asked last.", ("host",))
    for host in sorted({target.host for target in targets if target.through and target.host}):
        family.add((host,), answers.get(host, math.nan))
    return family


def collect_filesystems() -> Iterator[Family]:
    """Room on the disks, as an ordinary user sees it. Raises OSError."""
    host = socket.gethostname()
    labels = ("host", "mountpoint")
    available = gauge("appliance_filesystem_avail_bytes", "Room left.", labels)
    size = gauge("appliance_filesystem_size_bytes", "Size.", labels)
    inodes = gauge("appliance_filesystem_files_free", "Inodes left.", labels)
    files = gauge("appliance_filesystem_files", "Inodes; 0 where the filesystem makes them as it needs them.", labels)
    for mountpoint in _mountpoints():
        found = os.statvfs(mountpoint)
        available.add((host, mountpoint), found.f_bavail * found.f_frsize)
        size.add((host, mountpoint), found.f_blocks * found.f_frsize)
        inodes.add((host, mountpoint), found.f_favail)
        files.add((host, mountpoint), found.f_files)
    yield from (available, size, inodes, files)


def _mountpoints() -> Iterable[str]:
    """The root, which in a container is no disk of its own, and each writable local disk once, however often it is mounted."""
    by_device: dict[str, str] = {}
    for partition in psutil.disk_partitions(all=False):
        is_writable = "ro" not in partition.opts.split(",")
        if is_writable and os.path.isdir(partition.mountpoint):  # noqa: PTH112 - a container mounts single files too
            by_device.setdefault(partition.device, partition.mountpoint)
    return sorted({"/", *by_device.values()})
