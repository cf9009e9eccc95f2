"""Look at this host and print what was seen as one JSON object; nothing is changed.

Sizes are in bytes, `time` in seconds since the epoch, `ports` names the program behind each of the ports given as arguments,
`security_updates` counts the packages that apt's lists, as they were fetched last, have a security update for.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

SECURITY_UPDATE = re.compile(r"^Inst \S+ \[[^]]+\] \(\S+ [^)]*(-security\b|Debian-Security)", re.MULTILINE)
LISTENING = re.compile(r'users:\(\("([^"]+)"')


def output(argv: "list[str]") -> str:
    """What a program prints, empty when it fails or is not there."""
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def release() -> "dict[str, str]":
    """The lines of os-release."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}


def disks() -> "dict[str, dict[str, int]]":
    """Room on the file systems that an instance writes to."""
    found = {}
    for directory in ("/", "/var", "/srv"):
        if Path(directory).exists():
            usage = shutil.disk_usage(directory)
            found[directory] = {"total_bytes": usage.total, "free_bytes": usage.free}
    return found


def listeners(ports: "list[str]") -> "dict[str, str]":
    """The program that listens on each of the ports, for those where one does."""
    found = {}
    for line in output(["ss", "-Hltnp"]).splitlines():
        fields = line.split()
        port = fields[3].rpartition(":")[2] if len(fields) > 3 else ""  # noqa: PLR2004 - state, two queues, address
        if port in ports:
            match = LISTENING.search(line)
            found[port] = match.group(1) if match else "something"
    return found


def needs_reboot() -> bool:
    """Whether a package asked for it, or a newer kernel than the one that runs is to be booted."""
    kernel = Path("/vmlinuz")
    newer = kernel.is_symlink() and kernel.resolve().name != f"vmlinuz-{platform.release()}"
    return newer or Path("/run/reboot-required").exists()


def security_updates() -> int:
    """How many packages apt would bring a security update for; it is only asked."""
    said = output(["apt-get", "--simulate", "--quiet", "--option=Debug::NoLocking=true", "dist-upgrade"])
    return len(SECURITY_UPDATE.findall(said))


def memory_bytes() -> int:
    """Memory of the machine."""
    match = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return int(match.group(1)) * 1024 if match else 0


def seen(ports: "list[str]") -> "dict[str, object]":
    """Everything."""
    distribution = release()
    return {
        "system": distribution.get("PRETTY_NAME", platform.system()),
        "distribution": distribution.get("ID", ""),
        "version": distribution.get("VERSION_ID", ""),
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "hostname": platform.node(),
        "cpus": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "disks": disks(),
        "time": time.time(),
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "systemd": Path("/run/systemd/system").is_dir(),
        "root": os.geteuid() == 0,
        "reboot_required": needs_reboot(),
        "security_updates": security_updates(),
        "ports": listeners(ports),
    }


if __name__ == "__main__":
    json.dump(seen(sys.argv[1:]), sys.stdout)
