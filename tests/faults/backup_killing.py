"""Kill -9, or a power cut, at each moment of a run: in the middle of each command that it gives to restic, and right after it."""

import random
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from tests.faults.backup_disk import power_off_command
from tests.faults.backup_stage import Stage
from tests.support.backup_log import base, recovered
from tests.support.backup_world import DIGEST, Run, receiving
from tests.support.house import wait_for

LONGEST_SECONDS = 0.12
"""A kill comes at most so long after restic was started; what it does with a small repository takes longer."""
RESTIC = """#!/bin/sh
echo $$ >> {count}
[ "$(grep -nx $$ {count} | cut -d: -f1)" = {number} ] || exec /usr/bin/restic "$@"
exec 3<&0
case {phase} in
together) /usr/bin/restic "$@" <&3 3<&- & restic=$!; sleep {seconds}; {power_off}; kill -9 $restic $PPID ;;
alone) parent=$PPID; (sleep {seconds}; kill -9 $parent) & exec /usr/bin/restic "$@" <&3 3<&- ;;
after) /usr/bin/restic "$@" <&3 3<&-; {power_off}; kill -9 $PPID ;;
esac
"""


class Phase(StrEnum):
    """Who is killed when."""

    TOGETHER = "together"
    """The run and its restic at one moment in the middle."""
    ALONE = "alone"
    """The run only; its restic is told to end by the kernel."""
    AFTER = "after"
    """The run, when restic has done its work and nobody has learnt of it."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """In or after the command of that number which a run gives to restic."""

    number: int
    phase: Phase

    def __str__(self) -> str:
        """As it is chosen with -k."""
        return f"{self.number}-{self.phase}"


def struck(stage: Stage, moment: Moment, verb: str, spec: dict[str, Any], *, disk: Path | None = None) -> Run:
    """Carry a verb out and strike it at that moment; with the power of a `disk` that is cut, too. Gives what it had said by then."""
    programs = stage.world.directory / "programs"
    programs.mkdir(exist_ok=True)
    chance = random.Random(f"{verb} {moment}")  # noqa: S311 - a seed makes the moments repeatable
    script = RESTIC.format(
        count=programs / "count",
        number=moment.number,
        phase=moment.phase,
        seconds=round(chance.uniform(0.02, LONGEST_SECONDS), 3),
        power_off=power_off_command(disk) if disk else ":",
    )
    (programs / "restic").write_text(script)
    (programs / "restic").chmod(0o755)
    run = stage.world.ended(stage.with_programs(programs).start(verb, spec))
    assert run.code == -signal.SIGKILL, f"{verb} ended before its command {moment.number}: {run}"
    return run


def backup(stage: Stage, moment: Moment) -> None:
    """While a recovery point is made."""
    stage.write()
    held = stage.now()
    run = struck(stage, moment, "backup", stage.world.backup_spec("p3"))
    stage.claimed(run, "p3", held)
    stage.all_come_back()
    stage.goes_on()


def forget(stage: Stage, moment: Moment) -> None:
    """While a recovery point is given up and its space freed: it is there or not, never half."""
    stage.good.pop("p2")
    struck(stage, moment, "forget", {"repository": stage.world.repository, "crm": "demo", "points": ["p2"]})
    stage.all_come_back()
    again = stage.world.run("forget", crm="demo", points=[point for point in stage.world.points() if point == "p2"], log_since=LONG_AGO)
    assert again.code == 0, again
    stage.goes_on()


def restore(stage: Stage, moment: Moment) -> None:
    """While one is restored beside what is live."""
    live = stage.now()
    struck(stage, moment, "restore", stage.world.restore_spec("p1"))
    assert stage.now() == live
    stage.all_come_back()


def copy(stage: Stage, moment: Moment) -> None:
    """While they are copied into a second repository: it lists what is whole there, and has all after the next time."""
    second = {**stage.world.repository, "location": str(stage.world.directory / "second")}
    spec = {"repository": second, "source": stage.world.repository}
    struck(stage, moment, "copy", spec)
    listed = stage.world.run("points", repository=second)
    if listed.code == 0:
        for point in listed.last["points"]:
            assert stage.comes_back(point["id"], stage.good[point["id"]], repository=second), point
    stage.all_come_back()
    copied = stage.world.run("copy", **spec)
    assert copied.code == 0, copied
    stage.all_come_back(repository=second)


def save_base(stage: Stage, moment: Moment) -> None:
    """While the database's files are saved."""
    world = stage.world
    with receiving(world, {}):
        base(world)
        stage.write()
        spec = {"repository": world.repository, "crm": "demo", "base": "b2", "database": world.cluster.spec("tb_live")}
        struck(stage, moment, "base", {**spec, "spool": str(world.directory / "spool")})
        stage.log_comes_back()
    stage.all_come_back()


def ship(stage: Stage, moment: Moment) -> None:
    """While received log is shipped."""
    world = stage.world
    with receiving(world, {}, every_seconds=3600):
        base(world)
        stage.write()
        spec = {"repository": world.repository, "crm": "demo", "database": world.cluster.spec("tb_live")}
        struck(stage, moment, "ship", {**spec, "spool": str(world.directory / "spool")})
        stage.write()
        stage.log_comes_back()
    stage.all_come_back()


def mark(stage: Stage, moment: Moment) -> None:
    """While a recovery point is made that only base and log lead to: it is listed only if they do."""
    world = stage.world
    spool = str(world.directory / "spool")
    with receiving(world, {}, every_seconds=3600):
        base(world)
        stage.write()
        held = stage.now()
        struck(stage, moment, "backup", world.backup_spec("p3", dump=False, spool=spool))
        if made := [point for point in world.points() if point == "p3"]:
            with recovered(world, point="p3") as copy:
                assert copy.answer("tb_live", DIGEST) == held.database
        stage.write()
        stage.log_comes_back()
    assert world.run("forget", crm="demo", points=made, log_since=LONG_AGO).code == 0  # it has no dump, as the others that come back
    stage.all_come_back()
    stage.goes_on()


def receive(stage: Stage) -> None:
    """Whoever receives and ships the log is killed with everything it started, and begun again later."""
    world = stage.world
    spec = {"repository": world.repository, "crm": "demo", "database": world.cluster.spec("tb_live")}
    stream = world.start("stream", {**spec, "spool": str(world.directory / "spool"), "ship_every_seconds": 0.1})
    wait_for(lambda: any((world.directory / "spool").glob("receiving/*.partial")))
    base(world)
    stage.write()
    stream.kill()
    world.ended(stream)
    stage.write()
    wait_for(lambda: world.cluster.answer("postgres", "select count(*) from pg_replication_slots where active") == 0)
    with receiving(world, {}):
        stage.log_comes_back()
    stage.all_come_back()


LONG_AGO = "2000-01-01T00:00:00+00:00"


class Strike(Protocol):
    """Does it, and proves that nothing is lost."""

    def __call__(self, stage: Stage, moment: Moment) -> None:
        """At that moment."""


STRIKES: dict[str, tuple[Strike, range]] = {
    "backup": (backup, range(1, 6)),
    "forget": (forget, range(1, 8)),
    "restore": (restore, range(1, 6)),
    "copy": (copy, range(1, 8)),
    "base": (save_base, range(1, 5)),
    "ship": (ship, range(1, 3)),
    "mark": (mark, range(1, 6)),
}
"""What is struck, and how many commands it gives to restic."""
