"""A restore of a database and its files until the database answers, beside plain restic and the usual dump."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cluster import Cluster, a_cluster, quietly
from benchmarks.figure import MeasureFailed, Say
from benchmarks.keeping import CRM, PORT, Keeping, quietly_to
from benchmarks.waiting import wait_until

COPY = "bench_backup_copy"
SERVING_SECONDS = 300
RECOVERY = "restore_command = 'cp {wal}/%f %p'\nrecovery_target_action = 'promote'\n"


@dataclass(frozen=True, kw_only=True)
class Restoring:
    """Seconds."""

    ours: float
    bare: float
    usual: float

    @property
    def told(self) -> str:
        """All of it, in a sentence."""
        return (
            f"A database of 2 GB with 1 GB of files, until the database answers with its rows: ours, read back and compared, "
            f"{self.ours:.1f} s; restic restore of base, log and files, recovery and start by hand "
            f"{self.bare:.1f} s; the files, the dump out of restic and "
            f"pg_restore -j2 {self.usual:.1f} s. The start of the CRM's own processes, the same in all, is left out."
        )


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What plain restic has to be told: the newest snapshots by their parts, and the label of the base. `point` is the newest one."""

    snapshots: dict[str, tuple[str, str]]
    label: str
    point: str


def measure(kept: Keeping, rounds: int, say: Say) -> Restoring:
    """Restore the newest of what was kept in each way so often, with the server that was kept at rest; gives the medians.

    Each way begins with nothing left to be written to the disk and with its repository in memory, whichever was taken before.
    """
    ours, bare, usual = [], [], []
    saved = _saved(kept)
    kept.cluster.control("stop")
    for _ in range(rounds):
        ours.append(_restored(kept, lambda copy: _ours(kept, saved, copy)))
        bare.append(_restored(kept, lambda copy: _bare(kept, saved, copy)))
        usual.append(_usual(kept))
        say(f"ours {ours[-1]:.1f} s, bare {bare[-1]:.1f} s, usual {usual[-1]:.1f} s")
    return Restoring(ours=median(ours), bare=median(bare), usual=median(usual))


def _saved(kept: Keeping) -> Saved:
    listed = json.loads(quietly(kept.restic("ours", "snapshots", "--json")))
    parts = {_part(one): (one["id"], one["paths"][0]) for one in sorted(listed, key=lambda one: one["time"])}
    record = json.loads(quietly(kept.restic("ours", "dump", parts["base-record"][0], "/base.json")))
    newest = kept.run("points")["points"][0]["id"]
    return Saved(snapshots=parts, label=record["files"]["label"], point=newest)


def _part(snapshot: dict[str, Any]) -> str:
    return next(str(tag).removeprefix("part=") for tag in snapshot["tags"] if tag.startswith("part="))


def _restored(kept: Keeping, work: Callable[[Cluster], None]) -> float:
    """The seconds until a server answers with all rows; then all that was restored is removed."""
    with a_cluster(COPY, PORT + 1, empty=True) as copy, _target(kept):
        _settle(kept.place / "ours")
        began = time.monotonic()
        work(copy)
        with copy.serving():
            wait_until(copy.serves, seconds=SERVING_SECONDS, what="the restored server to answer")
            _require_rows(copy, kept.accounts)
            return time.monotonic() - began


def _ours(kept: Keeping, saved: Saved, copy: Cluster) -> None:
    files = {"point": saved.point, "files": {str(kept.files): str(kept.place / "restored")}}
    kept.run("recover", crm=CRM, target=str(copy.data), wal=str(copy.sockets / "wal"), beside=files)


def _bare(kept: Keeping, saved: Saved, copy: Cluster) -> None:
    wal = copy.sockets / "wal"
    for part, target in (("files", kept.place / "restored"), ("base", copy.data), ("wal", wal)):
        snapshot, path = saved.snapshots[part]
        quietly(kept.restic("ours", "restore", f"{snapshot}:{path}", "--target", str(target)))
    for partial in wal.glob("*.partial"):
        partial.rename(partial.with_suffix(""))
    (copy.data / "backup_label").write_text(saved.label)
    (copy.data / "recovery.signal").touch()
    with (copy.data / "postgresql.auto.conf").open("a") as file:
        file.write(RECOVERY.format(wal=wal))
    quietly(["chown", "-R", "postgres:postgres", str(copy.data), str(wal)])


def _usual(kept: Keeping) -> float:
    with a_cluster(COPY, PORT + 1) as copy, _target(kept) as restored:
        _settle(kept.place / "usual")
        began = time.monotonic()
        quietly(kept.restic("ours", "restore", f"latest:{kept.files}", "--tag", "part=files", "--target", str(restored)))
        quietly_to(kept.restic("usual", "dump", "--path", "/crm.dump", "latest", "/crm.dump"), kept.place / "crm.dump")
        quietly([copy.program("pg_restore"), *copy.address, "-j2", "--dbname=crm", str(kept.place / "crm.dump")])
        _require_rows(copy, kept.accounts)
        return time.monotonic() - began


def _settle(repository: Path) -> None:
    os.sync()
    for file in repository.rglob("*"):
        if file.is_file():
            file.read_bytes()


@contextmanager
def _target(kept: Keeping) -> Iterator[Path]:
    target = kept.place / "restored"
    shutil.rmtree(target, ignore_errors=True)
    yield target


def _require_rows(copy: Cluster, accounts: int) -> None:
    if copy.answer("select max(aid) from pgbench_accounts") != accounts:
        raise MeasureFailed(f"What was restored has not {accounts} rows.")
