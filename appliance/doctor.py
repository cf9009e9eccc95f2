"""Look at the machine and the appliance without changing anything; every finding comes with its mend."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.hosts.reach import Local
from appliance.operations.machines import machine_of
from appliance.operations.preflight import database_answers, disk_has_room
from appliance.operations.steps.health import ask_probes, probes_of
from appliance.operations.variables import database_spec
from appliance.operations.worker_lock import is_held
from appliance.products.probing import Door
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


def examine(appliance: Appliance) -> list[Finding]:
    """Everything that can be seen from here."""
    return [*_appliance(appliance), *_machine(appliance), *_instances(appliance)]


def _appliance(appliance: Appliance) -> Iterator[Finding]:
    current = is_current(appliance.store.database)
    yield Finding(subject="store", ok=current, text="schema is current" if current else "schema is old; run: appliance up")
    working = is_held(appliance.settings.worker_lock)
    yield Finding(subject="worker", ok=working, text="at work" if working else "not running; run: appliance up")


def _machine(appliance: Appliance) -> Iterator[Finding]:
    if appliance.settings.production:  # the CRMs' hosts are looked at when they are prepared
        yield from _room(appliance.settings.home)
        return
    for name, mend in PROGRAMS.items():
        found = shutil.which(name)
        yield Finding(subject=name, ok=found is not None, text=found or f"not installed; run: appliance {mend}")
    for directory in (appliance.settings.home, appliance.settings.crm_root):
        yield from _room(directory)


def _room(directory: Path) -> Iterator[Finding]:
    problem = disk_has_room(Local(), directory, LEAST_FREE_BYTES)()
    yield Finding(subject=str(directory), ok=problem is None, text=problem or "has room")


def _instances(appliance: Appliance) -> Iterator[Finding]:
    for instance in appliance.store.instances.list():
        if instance.deployment is None:
            yield Finding(subject=instance.name, ok=False, text=f"does not serve ({instance.state.value}); see: appliance operation list")
            continue
        machine = machine_of(appliance, instance.host, channel="doctor")
        problem = database_answers(machine.reach, database_spec(machine.layout, instance, instance.deployment))()
        yield Finding(subject=f"{instance.name} database", ok=problem is None, text=problem or "answers")
        for result in ask_probes(machine, probes_of(appliance, instance, instance.deployment, door=Door.PROXY).values()):
            yield Finding(subject=f"{instance.name} {result['name']}", ok=bool(result["healthy"]), text=str(result["detail"]))
