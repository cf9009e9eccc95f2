"""Nothing is left of a run of the lab: neither of one that ended, nor of one that was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import cgroups, locks, places, proxy, records, sweep
from tests.lab.host import LabHost
from tests.lab.lab import Lending
from tests.lab.places import TREE

SHORT_RUN = """
from tests.lab.lab import Lab
lab = Lab.open()
print(lab.host().name)
lab.close()
"""
KILLED_RUN = """
import time
from tests.lab.lab import Lab
lab = Lab.open()
one, other = lab.host(disk_bytes=200_000_000), lab.host(memory_bytes=500_000_000)
lab.snapshot(other)
other.boot()
print(one.name, other.name, lab.directory, flush=True)
time.sleep(600)
"""


def traces(*words: str) -> list[str]:
    """Everything on this machine that carries one of these names."""
    everything = [
        *subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines(),
        *subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines(),
        *Path("/proc/self/mountinfo").read_text().splitlines(),
        *(str(path) for path in places.STATE.glob("*.json")),
        *(str(path) for top in (cgroups.family(), Path("/sys/fs/cgroup/memory")) for path in top.glob("*") if path.is_dir()),
        *(str(path) for top in ("hosts", "runs") for path in (places.cache() / top).glob("*")),
    ]
    return [line for line in everything if any(word in line for word in words)]


@pytest.fixture
def living(host: Lending) -> LabHost:
    """A host of this run, made first, so that it takes no place of the other's."""
    return host()


@pytest.fixture
def killed_run(living: LabHost) -> list[str]:
    """What a run called its hosts and its folder before it was killed with kill -9."""
    assert living.group.is_populated()
    argv = [sys.executable, "-c", KILLED_RUN]
    process = subprocess.Popen(argv, cwd=TREE, env=_environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as output:
        words = output.readline().split()
    process.kill()
    process.wait()
    return [words[0], words[1], words[0].replace("lab", "crmlab"), words[1].replace("lab", "crmlab"), Path(words[2]).name]


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(Path.home()), "PYTHONPATH": f"{TREE}:{TREE / 'bin'}"} | {
        "GROUNDWORK_CACHE": str(places.cache().parent)
    }


def test_a_run_that_ends_leaves_nothing_of_its_own_and_all_that_others_use(living: LabHost) -> None:
    ended = subprocess.run([sys.executable, "-c", SHORT_RUN], cwd=TREE, env=_environment(), capture_output=True, text=True, check=True)
    name = ended.stdout.strip()
    assert name.startswith("lab")
    assert traces(name, name.replace("lab", "crmlab")) == []
    assert traces(places.BRIDGE)
    assert living.run(f"curl -s -o /dev/null {proxy.URL}; hostname").stdout == f"{living.name}\n"


def test_a_sweep_leaves_nothing_of_a_killed_run_and_all_of_a_living_one(killed_run: list[str], living: LabHost) -> None:
    assert {word for word in killed_run if traces(word)} == set(killed_run)
    with locks.guard():
        sweep.sweep(spare=records.kept())
    assert traces(*killed_run) == []
    assert living.run("hostname").stdout == f"{living.name}\n"
