"""A power cut of the machine that the repository lies on: what was not written to its disk by then never comes there."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tests.faults.backup_disk import after_power_cut, disk_with_power, power_off
from tests.faults.backup_killing import Moment, Phase, struck
from tests.faults.backup_stage import Stage
from tests.support.backup_world import Run

BACKUP_COMMANDS, FORGET_COMMANDS = range(3, 6), range(3, 8)
"""Those that write."""
CUT_PHASES = (Phase.TOGETHER, Phase.AFTER)


def in_a_backup(stage: Stage, moment: Moment) -> None:
    """While a recovery point is made."""
    stage.write()
    held = stage.now()

    def cut() -> None:
        run = struck(stage, moment, "backup", stage.world.backup_spec("p3"), disk=stage.world.location.parent)
        stage.claimed(run, "p3", held)

    on_a_disk(stage, cut)


def in_a_forget(stage: Stage, moment: Moment) -> None:
    """While one is given up and its space freed."""

    def cut() -> None:
        stage.good.pop("p2")
        spec = {"repository": stage.world.repository, "crm": "demo", "points": ["p2"]}
        struck(stage, moment, "forget", spec, disk=stage.world.location.parent)

    on_a_disk(stage, cut)


def after_the_claim(stage: Stage) -> None:
    """At the moment in which a run has said that the recovery point is made: it is."""
    stage.write()
    held = stage.now()

    def cut() -> None:
        run: Run = stage.world.backup("p3")
        power_off(stage.world.location.parent)
        stage.claimed(run, "p3", held)
        assert "p3" in stage.good, run

    on_a_disk(stage, cut)


def on_a_disk(stage: Stage, cut: Callable[[], None]) -> None:
    """Put the repository on a disk of its own, cut its power, and see what is there when it is back."""
    with disk_with_power(stage.world.directory / "disk") as disk:
        subprocess.run(["cp", "-a", str(stage.world.location), str(disk)], check=True)
        subprocess.run(["sync", "--file-system", str(disk)], check=True)
        stage.world = replace(stage.world, location=disk / stage.world.location.name)
        cut()
        after_power_cut(disk)
        stage.all_come_back()
        stage.goes_on()


POWER: dict[str, Callable[[Stage], None]] = {
    **{
        f"{name}-power-cut-{moment}": partial(strike, moment=moment)
        for name, strike, numbers in (("backup", in_a_backup, BACKUP_COMMANDS), ("forget", in_a_forget, FORGET_COMMANDS))
        for moment in (Moment(number=number, phase=phase) for number in numbers for phase in CUT_PHASES)
    },
    "power-cut-after-the-claim": after_the_claim,
}
