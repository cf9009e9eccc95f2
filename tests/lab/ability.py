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
TRIAL = Path(__file__).with_name("trial.sh")


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
    except ProgramFailed as failure:
        return f"namespaces, mounts or bridges cannot be made ({failure.said})"
    except (OSError, cgroups.NoControlGroups) as failure:
        return f"control groups of version 2 cannot be made ({failure})"
    return None


def _try() -> None:
    group = cgroups.mounted("cgroup2") / f"crmlab-try-{os.getpid()}"
    group.mkdir()
    can_kill = (group / "cgroup.kill").exists()
    group.rmdir()
    if not can_kill:
        raise cgroups.NoControlGroups("the kernel is older than 5.14")
    places.cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=places.cache(), prefix="try-") as directory:
        run("unshare", "--mount", "--net", "--propagation", "private", "sh", str(TRIAL), directory)
