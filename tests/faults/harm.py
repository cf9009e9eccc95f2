"""What can go wrong in the middle of an operation: how it is done to a CRM's host or to the appliance, and how it is mended."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil

from tests.hosts.world import CRM, World
from tests.support.house import wait_for

OFF_SECONDS = 1.0
CUT_SECONDS = 20.0
ANSIBLE_SECONDS = 3.0
"""A step that runs no playbook within this time has none to be killed."""

WRITE_ANEW = f"for file in /srv/crm/{CRM}/cluster*.state; do cp --preserve $file $file.anew && mv $file.anew $file; done"
"""What lies in the golden layer is copied when it is first written to, which a full disk refuses; where there is no overlay, it is not."""


class NothingToHarmError(Exception):
    """There is no such thing at that moment."""


@dataclass(frozen=True, kw_only=True)
class Harm:
    """`strike` does it to the operation of that id; `mend` is what an administrator does about it later, where nothing mends itself."""

    strike: Callable[[World, int], None]
    mend: Callable[[World], None] = lambda _: None
    lasts: bool = False
    """Whether it stays until it is mended."""


def kill_worker(world: World, operation: int) -> None:
    """Kill -9 of the worker and of what carries the operation; the worker is started again."""
    world.kill_worker()
    try:
        world.kill_carrier(operation)
    except (FileNotFoundError, ProcessLookupError):
        raise NothingToHarmError("nothing carries the operation") from None
    finally:
        world.start("worker")


def kill_ansible(world: World, operation: int) -> None:
    """Kill -9 of every process of the playbook that runs."""
    place = f"{world.settings.home}/operations/{operation}/"
    deadline = time.monotonic() + ANSIBLE_SECONDS
    while not (found := [process for process in psutil.process_iter() if _is_playbook(process, place)]):
        if time.monotonic() > deadline or world.operation(operation).status.is_final:
            raise NothingToHarmError("no playbook runs")
        time.sleep(0.02)
    for process in found:
        process.kill()


def cut_power(world: World, _: int) -> None:
    """The host is off at once, and on again a moment later."""
    world.hosts["web1"].power_cut()
    time.sleep(OFF_SECONDS)
    world.hosts["web1"].boot()


def fill_disk(world: World, _: int) -> None:
    """The host's disk is full to the last byte."""
    world.hosts["web1"].run(WRITE_ANEW)
    world.hosts["web1"].fill_disk()


def free_disk(world: World) -> None:
    """Somebody makes room, and what could not write is begun again."""
    world.hosts["web1"].free_disk()


def stop_database(world: World, _: int) -> None:
    """The CRM's database servers are stopped, and stay so: the one that serves, and the one that follows it."""
    world.hosts["web1"].run("systemctl stop 'postgresql@*'")


def start_database(world: World) -> None:
    """Somebody starts them again, and the CRM, whose services are stopped along with them."""
    world.hosts["web1"].run('pg_lsclusters --no-header | awk \'{print "postgresql@" $1 "-" $2}\' | xargs systemctl start')
    world.hosts["web1"].run(f"systemctl start $(systemctl list-unit-files --no-legend --state=enabled 'crm-{CRM}-*' | cut -d' ' -f1)")


def cut_network(world: World, _: int) -> None:
    """The host's cable is out for a while."""
    host = world.hosts["web1"]
    host.cut_network()
    time.sleep(CUT_SECONDS)
    host.mend_network()
    host.wait_for_ssh()


def mended(world: World, harm: Harm) -> None:
    """Mend it, and wait until the host can be reached."""
    wait_for(lambda: world.hosts["web1"].run("true", check=False).returncode == 0)
    harm.mend(world)


def _is_playbook(process: psutil.Process, place: str) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return any("ansible-playbook" in word for word in words) and any(word.removeprefix("@").startswith(place) for word in words)


HARMS: Mapping[str, Harm] = {
    "worker-killed": Harm(strike=kill_worker),
    "ansible-killed": Harm(strike=kill_ansible),
    "power-cut": Harm(strike=cut_power),
    "disk-full": Harm(strike=fill_disk, mend=free_disk, lasts=True),
    "database-stopped": Harm(strike=stop_database, mend=start_database, lasts=True),
    "network-cut": Harm(strike=cut_network),
}
