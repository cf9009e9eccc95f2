"""Clear up after runs that died; what a living run uses, and the hosts that a developer keeps, stay."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.lab import cgroups, disk, locks, network, places, proxy, records
from tests.lab.cgroups import Group
from tests.lab.places import SLOTS, Slot

IN_USE = places.STATE / "in-use.lock"
"""Every living run holds it shared."""


def clear(slot: Slot) -> None:
    """Leave nothing of the host in a slot, whose lock the caller holds."""
    record = records.read(slot)
    Group(name=slot.name).remove()
    network.remove_cable(slot)
    for directory in {slot.directory, Path(record.directory) if record else slot.directory}:
        disk.remove(directory)
    slot.record.unlink(missing_ok=True)


def is_used(slot: Slot) -> bool:
    """Whether anything of a host is there."""
    return slot.record.exists() or Group(name=slot.name).directory.exists() or network.has_cable(slot) or slot.directory.exists()


def sweep(*, spare: Iterable[Slot] = ()) -> list[str]:
    """Clear every slot whose run is dead, and runs' golden layers; returns the names of the hosts that were cleared.

    The caller holds the guard.
    """
    cleared = []
    for slot in SLOTS:
        if slot in spare or not is_used(slot):
            continue
        if held := locks.take(slot.lock):
            clear(slot)
            held.let_go()
            cleared.append(slot.name)
    for lock in runs().glob("*.lock"):
        if held := locks.take(lock):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink()
            held.let_go()
    return cleared


def runs() -> Path:
    """Where each run keeps what its hosts share: golden layers."""
    return places.cache() / "runs"


def remove_shared_when_unused() -> None:
    """Remove bridge and proxy, unless a run lives or a developer keeps a host. The caller holds the guard."""
    held = locks.take(IN_USE)
    if held is None:
        return
    if not records.kept():
        proxy.stop()
        network.remove_bridge()
        if cgroups.family().is_dir():
            cgroups.family().rmdir()
    held.let_go()
