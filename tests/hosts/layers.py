"""Golden layers that outlast a run: a prepared host, and one with a CRM full of records, with what its appliance remembers.

Each is kept under a digest of everything it was made by, so a run whose sources are those of the last one makes none.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork import fingerprint

from tests.hosts.secrets import leaks
from tests.hosts.world import CRM, DOMAIN, World, a_world
from tests.lab import locks, places
from tests.lab.base import Base
from tests.lab.disk import Layers
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.support.watching import CommandLineWatch

TREE = places.TREE
OLD, NEW = "2.7.13", "2.8.6"
SPARED_SECONDS = 2 * 3600
"""Longer than a run lasts: hosts may stand on an older layer."""
PREPARING = (
    *(TREE / "appliance" / "operations" / "kinds" / "host_prepare.py", TREE / "appliance" / "hosts"),
    *sorted(found for folder in (TREE / "playbooks", TREE / "playbooks" / "roles") for found in folder.glob("host*")),
    *(TREE / "backup", TREE / "monitoring"),
)
INSTALLING = (*PREPARING, TREE / "appliance", TREE / "playbooks", TREE / "tests" / "support" / "creme_seed.py")


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What hosts start from, what the appliance that made it remembers, and facts about it for the tests."""

    layers: Layers
    home: Path
    known: dict[str, Any]


def prepared(lab: Lab, release: str) -> Golden:
    """A host that was added and prepared, by the command line."""

    def make(world: World, host: LabHost) -> dict[str, Any]:
        world.add(host)
        return {"prepared": world.done("host", "prepare", "web1")}

    return _golden(lab, f"prepared-{release}", release, PREPARING, make, below=None)


def with_crm(lab: Lab, release: str) -> Golden:
    """A prepared host with Creme CRM 2.7.13 and its records; it was upgraded and rolled back, so the next release is built already."""

    def make(world: World, _: LabHost) -> dict[str, Any]:
        world.done("install", "creme", "--name", CRM, "--host", "web1", "--release", OLD, "--set", f"domain={DOMAIN}")
        world.seed()
        records = world.records()
        world.done("upgrade", CRM, "--to", NEW)
        assert world.serves(NEW)
        assert world.records() == records
        world.done("rollback", CRM)
        assert world.serves(OLD)
        assert world.records() == records
        return {"records": records}

    return _golden(lab, f"crm-{release}", release, INSTALLING, make, below=prepared(lab, release))


def _golden(
    lab: Lab,
    name: str,
    release: str,
    sources: tuple[Path, ...],
    make: Callable[[World, LabHost], dict[str, Any]],
    *,
    below: Golden | None,
) -> Golden:
    base = Base(release=release)
    image = base.ensure()
    digest = fingerprint.of_files(sources, also=[str(image), *(str(path) for path in (below.layers.golden if below else ()))])
    directory = places.cache() / "golden" / f"{name}-{digest[:12]}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    held = locks.take(directory.with_suffix(".lock"), wait=True)
    assert held is not None
    try:
        if not directory.is_dir():
            _make(lab, directory, release, make, below)
            _remove_outdated(directory)
        os.utime(directory)
    finally:
        held.let_go()
    golden = (directory / "layer", *(below.layers.golden if below else ()))
    known = json.loads((directory / "known.json").read_text())
    return Golden(layers=Layers(release=release, kind=base.kind, base=image, golden=golden), home=directory / "home", known=known)


def _make(lab: Lab, directory: Path, release: str, make: Callable[[World, LabHost], dict[str, Any]], below: Golden | None) -> None:
    unfinished = directory.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    began = time.monotonic()
    with lab.lending() as lend, a_world(below.home if below else None) as world:
        host = lend(release, golden=below.layers if below else None)
        if below:
            world.meet(host)
        watch = CommandLineWatch()
        watch.start()
        known = make(world, host)
        watch.stop()
        known["leaks"] = leaks(world, watch)
        world.stop("worker")
        shutil.copytree(world.settings.home, unfinished / "home", ignore=shutil.ignore_patterns("run"))
        host.snapshot(unfinished / "layer")
    seconds = time.monotonic() - began
    (unfinished / "known.json").write_text(json.dumps({**known, "seconds": seconds}))
    unfinished.rename(directory)


def _remove_outdated(today: Path) -> None:
    """Layers of the same kind that older sources made and no run has asked for lately."""
    for old in today.parent.glob(f"{today.name.rpartition('-')[0]}-*"):
        if old.suffix != ".lock" and old != today and time.time() - old.stat().st_mtime > SPARED_SECONDS:
            shutil.rmtree(old)
            old.with_suffix(".lock").unlink(missing_ok=True)
