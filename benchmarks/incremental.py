"""A recovery point after the newest 1 % of rows changed, and after nothing did, beside plain restic and the usual dump."""

import shutil
import time
from dataclasses import dataclass
from statistics import median

from benchmarks.cluster import quietly
from benchmarks.figure import Say
from benchmarks.keeping import CRM, Keeping, seconds

NEWEST = 0.01
CHANGE = "update pgbench_accounts set abalance = abalance + 1 where aid > {}"


@dataclass(frozen=True, kw_only=True)
class Incremental:
    """Seconds."""

    ours: float
    bare: float
    usual: float
    bare_quickly: float
    """Restic alone where it opens the repository with the quick key of ours."""
    unchanged: float
    with_dump: float

    @property
    def told(self) -> str:
        """All of it, in a sentence."""
        return (
            f"A database of 2 GB with 1 GB of files, its newest 1 % of rows changed: the moment marked and counted, the log up to it "
            f"shipped, files and record saved {self.ours:.2f} s; restic alone with the same log, files and record {self.bare:.2f} s by "
            f"the key that it makes itself, {self.bare_quickly:.2f} s by the quick one that ours has besides; pg_dump -Fc into restic "
            f"backup --stdin, and the files, {self.usual:.1f} s; ours when nothing had changed {self.unchanged:.2f} s. "
            f"With the logical dump that a backup of the appliance takes besides: {self.with_dump:.1f} s. "
            "All at the low priority that the appliance gives its backups."
        )


def measure(kept: Keeping, rounds: int, say: Say) -> Incremental:
    """Measure each so often while the log is received, after a first time that saves all; gives the medians."""
    _prepare(kept, say)
    ours, bare, bare_quickly, usual, unchanged = [], [], [], [], []
    for number in range(rounds):
        kept.cluster.sql(CHANGE.format(int(kept.accounts * (1 - NEWEST))))
        kept.wait_until_received()
        ours.append(seconds(lambda: kept.marked_point(f"changed-{number}")))  # noqa: B023 - called at once
        bare.append(seconds(lambda: _bare(kept, "bare")))
        bare_quickly.append(seconds(lambda: _bare(kept, "bare-quickly")))
        usual.append(seconds(lambda: _usual(kept)))
        unchanged.append(seconds(lambda: kept.marked_point(f"unchanged-{number}")))  # noqa: B023 - called at once
        say(
            f"ours {ours[-1]:.2f} s, bare {bare[-1]:.2f} or {bare_quickly[-1]:.2f} s, usual {usual[-1]:.1f} s, "
            f"unchanged {unchanged[-1]:.2f} s"
        )
    return Incremental(
        ours=median(ours),
        bare=median(bare),
        bare_quickly=median(bare_quickly),
        usual=median(usual),
        unchanged=median(unchanged),
        with_dump=seconds(lambda: kept.point("dumped-again", spool=str(kept.spool))),
    )


def _prepare(kept: Keeping, say: Say) -> None:
    """Save all of it once, in every way."""
    base = seconds(lambda: kept.run("base", base="base", **kept.log))
    point = seconds(lambda: kept.point("first", spool=str(kept.spool)))
    kept.run("ship", **kept.log)
    for copy in ("bare", "bare-quickly"):
        shutil.copytree(kept.place / "ours", kept.place / copy)
    kept.leave_one_key("bare", quick=False)
    kept.leave_one_key("bare-quickly", quick=True)
    quietly(kept.restic("usual", "init"))
    usual = seconds(lambda: _usual(kept))
    say(f"the first time: base {base:.1f} s, point with dump and files {point:.1f} s; the usual way {usual:.1f} s")


def _bare(kept: Keeping, copy: str) -> None:
    """What ours has restic do, by a copy of the repository."""
    for saved in (kept.spool / "log", kept.files):
        quietly(kept.saving(copy, str(saved), "--tag", f"crm={CRM}"))
    record = kept.place / "record.json"
    record.write_text(str(time.time()))
    quietly(["sh", "-c", f"{' '.join(kept.saving(copy, '--stdin', '--stdin-filename', 'record.json'))} < {record}"])


def _usual(kept: Keeping) -> None:
    kept.dumped("usual")
    quietly(kept.saving("usual", str(kept.files)))
