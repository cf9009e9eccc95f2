"""A CRM with two recovery points that are good, for harm to be done to; and the proof that nothing of them is lost by it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.faults.counting import LOST
from tests.support.backup_log import recovered
from tests.support.backup_world import DIGEST, Cluster, Run, World, make_world

HOSTILE: tuple[bytes, ...] = (
    b'report "1"\nof\'May.txt',
    b"--password-command=touch pwned",
    b"\xff\xfe not UTF-8",
    b"-",
    b"$(reboot);`reboot`",
    b"a,part=record",
)
"""Names of files that somebody could upload."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a recovery point held when it was made."""

    database: str
    files: dict[bytes, bytes]


@dataclass(kw_only=True)
class Stage:
    """The CRM, and what each of its recovery points that are good holds."""

    world: World
    good: dict[str, Held] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """What did not come back."""
    proofs: int = 0
    """How often everything was brought back to see."""

    def now(self) -> Held:
        """What the CRM holds."""
        return Held(database=self.world.cluster.answer("tb_live", DIGEST), files=tree(self.world.uploads))

    def write(self) -> None:
        """Somebody works in the CRM."""
        self.world.cluster.sql("tb_live", "insert into contact (name, note) select 'new ' || n, md5(n::text) from generate_series(1, 20) n")
        (self.world.uploads / f"upload {len(list(self.world.uploads.iterdir()))}").write_bytes(b"uploaded " * 10_000)

    def keep(self, point: str) -> None:
        """Make a recovery point that is good."""
        held, run = self.now(), self.world.backup(point)
        assert run.code == 0, run
        self.good[point] = held

    def claimed(self, run: Run, point: str, held: Held) -> None:
        """Believe a run that says it has made a point: from now on, that is good."""
        if run.events and run.last["event"] == "result":
            self.good[point] = held

    def comes_back(self, point: str, held: Held | None = None, **of: Any) -> bool:
        """Restore a point, and see whether every record and every file is there."""
        target = self.world.directory / "restored"
        shutil.rmtree(target, ignore_errors=True)
        self.world.cluster.create("tb_copy")
        run = self.world.run("restore", **self.world.restore_spec(point, **of))
        if run.code:
            return False
        return held is None or held == Held(database=self.world.cluster.answer("tb_copy", DIGEST), files=tree(target))

    def all_come_back(self, **of: Any) -> None:
        """What was good is listed and comes back; what is listed besides comes back, too: no point only looks good."""
        self.proofs += 1
        listed = self.world.run("points", **{"repository": self.world.repository, **of})
        assert listed.code == 0, listed
        there = [point["id"] for point in listed.last["points"]]
        self.lost += sorted(set(self.good) - set(there))
        self.lost += [point for point in there if not self.comes_back(point, self.good.get(point), **of)]
        assert not self.lost, f"lost: {self.lost}"

    def log_comes_back(self, **of: Any) -> None:
        """Recover what base and log hold, here or in the repository named, and see whether every record is there."""
        if not of:
            spool = {"spool": str(self.world.directory / "spool"), "database": self.world.cluster.spec("tb_live")}
            shipped = self.world.run("ship", crm="demo", **spool)
            assert shipped.code == 0, shipped
        with recovered(self.world, **of) as copy:
            if copy.answer("tb_live", DIGEST) != self.now().database:
                self.lost.append("the log")
        assert not self.lost, f"lost: {self.lost}"

    def goes_on(self) -> None:
        """The next backup works, clears what was left, and the repository is whole."""
        self.write()
        self.keep("after")
        assert self.world.leftovers() == []
        checked = self.world.run("check", read_data=True)
        assert checked.code == 0, checked

    def with_programs(self, folder: Path) -> World:
        """The same world, whose runs find programs in a folder first."""
        return replace(self.world, environment={"PATH": f"{folder}:/usr/bin:/bin"})


def played(
    play: Callable[[Stage], None], folder: Path, cluster: Cluster, empty_repository: Path, tell: Callable[[str, object], None]
) -> Stage:
    """Play a fault against a CRM with two recovery points of different data; `tell` takes how many were lost. Gives how it stands then."""
    stage = Stage(world=make_world(folder, cluster, empty_repository))
    for number, name in enumerate(HOSTILE):
        (stage.world.uploads / os.fsdecode(name)).write_bytes(b"content %d" % number)
    stage.keep("p1")
    stage.write()
    stage.keep("p2")
    try:
        play(stage)
    finally:
        tell(LOST, len(stage.lost))
    return stage


def tree(folder: Path) -> dict[bytes, bytes]:
    """Every file below a folder, by its name."""
    return {bytes(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
