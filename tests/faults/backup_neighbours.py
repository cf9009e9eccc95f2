"""Two appliances on two machines, which know nothing of each other, and one repository."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.faults.backup_stage import Stage
from tests.support.backup_world import World
from tests.support.house import wait_for

PAUSING = """#!/bin/sh
case "$*" in *"--stdin-filename record.json"*) touch {folder}/paused; while [ ! -e {folder}/go ]; do sleep 0.05; done ;; esac
exec /usr/bin/restic "$@"
"""


def appliance_called(stage: Stage, name: str) -> World:
    """The world of another machine: with another name, and leases of its own."""
    argv = ("unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh")
    return replace(stage.world, prefix=argv, lock_directory=stage.world.directory / f"leases-{name}")


@contextmanager
def paused_before_record(world: World) -> Iterator[subprocess.Popen[str]]:
    """A backup that has saved all its data and not yet its record, for the length of the block."""
    programs = world.directory / "pausing"
    programs.mkdir()
    (programs / "restic").write_text(PAUSING.format(folder=programs))
    (programs / "restic").chmod(0o755)
    paused = replace(world, environment={"PATH": f"{programs}:/usr/bin:/bin"})
    process = paused.start("backup", paused.backup_spec("p3"))
    try:
        wait_for((programs / "paused").exists)
        yield process
    finally:
        (programs / "go").touch()


def two_back_up(stage: Stage) -> None:
    """Two appliances on two machines back up a CRM of the same name into one repository: neither takes the other's for leftovers."""
    first, second = appliance_called(stage, "one"), appliance_called(stage, "two")
    held = stage.now()
    with paused_before_record(first) as process:
        other = second.backup("p4")
        stage.claimed(other, "p4", held)
    run = first.ended(process)
    stage.claimed(run, "p3", held)
    assert {"p3", "p4"} <= set(stage.good), (run, other)
    stage.all_come_back()
    stage.goes_on()


def locked_out(stage: Stage) -> None:
    """One appliance wants to free space while another writes: it is told to come again, and changes nothing."""
    first, second = appliance_called(stage, "one"), appliance_called(stage, "two")
    held = stage.now()
    with stage.world.cluster.dump_held("tb_live") as other:
        process = first.start("backup", first.backup_spec("p3"))
        stage.world.cluster.wait_until_held(other)
        refused = second.run("forget", crm="demo", points=["p2"], repository={**second.repository, "wait_seconds": 1})
    assert (refused.code, refused.last["code"]) == (11, "locked"), refused
    stage.claimed(first.ended(process), "p3", held)
    assert "p3" in stage.good
    stage.all_come_back()
    stage.goes_on()


def one_prunes(stage: Stage) -> None:
    """One appliance gives up a point and frees its space while another backs up."""
    first, second = appliance_called(stage, "one"), appliance_called(stage, "two")
    stage.write()
    held = stage.now()
    with paused_before_record(first) as process:
        forgotten = second.run("forget", crm="demo", points=["p2"])
        assert forgotten.code == 0, forgotten
        stage.good.pop("p2")
    run = first.ended(process)
    stage.claimed(run, "p3", held)
    assert run.code == 0, run
    stage.all_come_back()
    stage.goes_on()


NEIGHBOURS: dict[str, Callable[[Stage], None]] = {
    "two-appliances-back-up": two_back_up,
    "one-appliance-prunes": one_prunes,
    "one-appliance-locked-out": locked_out,
}
