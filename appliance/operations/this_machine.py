"""Look at the appliance and its own machine without changing anything; every finding comes with its mend."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.operations.preflight import lack_of_room
from appliance.operations.worker_lock import is_held
from appliance.store.database import is_current
from appliance.wiring import Appliance

LEAST_FREE_BYTES = 2 * 1024**3
PROGRAMS = {"restic": "host prepare", "nginx": "host prepare", "pg_createcluster": "host prepare"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was looked at, whether it is well, and what to do if it is not."""

    subject: str
    ok: bool
    text: str


def examine_this_machine(appliance: Appliance) -> list[Finding]:
    """Everything that can be seen without asking another machine."""
    return [*_appliance(appliance), *_machine(appliance)]


def _appliance(appliance: Appliance) -> Iterator[Finding]:
    current = is_current(appliance.store.database)
    yield Finding(subject="store", ok=current, text="schema is current" if current else "schema is old; run: appliance up")
    working = is_held(appliance.settings.worker_lock)
    yield Finding(subject="worker", ok=working, text="at work" if working else "not running; run: appliance up")


def _machine(appliance: Appliance) -> Iterator[Finding]:
    if appliance.settings.production:  # the CRMs' hosts are looked at when they are prepared
        yield _room(appliance.settings.home)
        return
    for name, mend in PROGRAMS.items():
        found = shutil.which(name)
        yield Finding(subject=name, ok=found is not None, text=found or f"not installed; run: appliance {mend}")
    for directory in (appliance.settings.home, appliance.settings.crm_root):
        yield _room(directory)


def _room(directory: Path) -> Finding:
    there = nearest_there(directory)
    problem = lack_of_room(str(there), shutil.disk_usage(there).free, LEAST_FREE_BYTES)
    return Finding(subject=str(directory), ok=problem is None, text=problem or "has room")


def nearest_there(directory: Path) -> Path:
    """The directory, or what is there of the way to it."""
    return next(one for one in (directory, *directory.parents) if one.exists())
