"""Whether this machine can have a lab, found out by trying."""

import functools
import os
import shutil
import tempfile
from pathlib import Path

from tests.lab import cgroups, places
from tests.lab.programs import ProgramFailed, run

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "apt-cacher-ng": "apt-cacher-ng",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
TRIAL = """
cd "$1"
mkdir lower upper work root
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link add crmlabtry type bridge
"""


class NoLab(Exception):
    """This machine can have no lab; the message says why."""


@functools.cache
def why_not() -> str | None:
    """What this machine lacks; None when it can have a lab."""
    if Path("/etc/crmlab").exists():
        return "this is a host of the lab itself"
    if os.geteuid() != 0:
        return "it needs root"
    if missing := sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)}):
        return f"these packages are missing: {' '.join(missing)}"
    try:
        _try()
    except (ProgramFailed, OSError, cgroups.NoControlGroups) as failure:
        return f"this machine lets nobody make namespaces, mounts or control groups ({failure})"
    return None


def _try() -> None:
    cgroups.family().mkdir(exist_ok=True)
    if not (cgroups.family() / "cgroup.kill").exists():
        raise cgroups.NoControlGroups("the kernel is older than 5.14")
    places.cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.cache(), prefix="try-") as directory:
        run("unshare", "--mount", "--net", "--propagation", "private", "sh", "-eu", "-c", TRIAL, "-", directory)
