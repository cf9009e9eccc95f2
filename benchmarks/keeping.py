"""What the measures of backups work with: a server's database, files, a received log, and repositories of ours and of plain restic."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backup.quick_key import quick_key
from benchmarks.cluster import ACCOUNTS_PER_BRANCH, Cluster, a_cluster
from benchmarks.figure import MeasureFailed, Say
from benchmarks.waiting import wait_until

CRM, CLUSTER, PORT = "bench", "bench_backup", 23810
SCALE = 134
"""A database of 2 GB."""
FILES, FILE_BYTES = 2800, 375_000
"""A gigabyte."""
COUNTS = {"accounts": "select count(*) from pgbench_accounts"}
CATCH_UP_SECONDS = 120
CAUGHT_UP = (
    "select coalesce(bool_and(flush_lsn >= pg_current_wal_flush_lsn()), false) from pg_stat_replication "
    "where application_name = 'pg_receivewal'"
)
LIKE_OURS = ("nice", "-n", "10")
"""The appliance makes its backups at this priority; on a busy machine nothing else could be compared."""
KEY = "benchmarks0of0forty0characters0like0ours"
"""As long as the appliance's own, which are random."""


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """One CRM's data in `place` and on a server, and how it is kept."""

    place: Path
    cluster: Cluster
    scale: int

    @property
    def accounts(self) -> int:
        """How many rows its greatest table has."""
        return self.scale * ACCOUNTS_PER_BRANCH

    @property
    def files(self) -> Path:
        """What users have uploaded."""
        return self.place / "files"

    @property
    def spool(self) -> Path:
        """Where its log is received."""
        return self.place / "spool"

    @property
    def password_file(self) -> Path:
        """The password of every repository."""
        return self.place / "password"

    @property
    def log(self) -> dict[str, Any]:
        """How `python -m backup` is told of its log."""
        return {"crm": CRM, "database": self.cluster.spec, "spool": str(self.spool)}

    def repository(self, name: str = "ours") -> dict[str, Any]:
        """How `python -m backup` is told of a repository."""
        return {"location": str(self.place / name), "password_file": str(self.password_file)}

    def run(self, verb: str, **spec: Any) -> dict[str, Any]:
        """Carry a verb out, and give its result. Raises MeasureFailed."""
        told = json.dumps({"repository": self.repository(), **spec})
        done = subprocess.run([sys.executable, "-m", "backup", verb], input=told, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MeasureFailed(f"python -m backup {verb} ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    def point(self, name: str, **more: Any) -> dict[str, Any]:
        """Take a recovery point of database and files."""
        return self.run("backup", crm=CRM, point=name, database=self.cluster.spec, paths=[str(self.files)], counts=COUNTS, **more)

    def marked_point(self, name: str) -> dict[str, Any]:
        """Take one without a dump: base and log lead to it."""
        return self.point(name, dump=False, spool=str(self.spool))

    def restic(self, repository: str, *arguments: str) -> list[str]:
        """Restic's own command line."""
        return ["restic", "--no-cache", "--repo", str(self.place / repository), "--password-file", str(self.password_file), *arguments]

    def leave_one_key(self, repository: str, *, quick: bool) -> None:
        """Let a copy of ours have the quick key only, or the one that restic has made itself."""
        keys = self.place / repository / "keys"
        kept = quick_key(keys.parent)
        for file in keys.iterdir():
            if (file.name == kept) is not quick:
                file.unlink()

    def saving(self, repository: str, *what: str) -> list[str]:
        """Restic's own command line for a backup, at the priority of ours."""
        return [*LIKE_OURS, *self.restic(repository, "backup", *what)]

    def dumped(self, repository: str) -> None:
        """What many do every night: the whole dump into restic. Raises MeasureFailed."""
        dump = [*LIKE_OURS, self.cluster.program("pg_dump"), *self.cluster.address, "-Fc", "crm"]
        saved = self.saving(repository, "--stdin", "--stdin-filename", "crm.dump")
        with subprocess.Popen(dump, stdout=subprocess.PIPE) as source:
            quietly_from(saved, source)
        if source.returncode:
            raise MeasureFailed(f"pg_dump ended with {source.returncode}.")

    @contextmanager
    def received(self, *, every_seconds: float = 3600, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Receive the log for the length of the block, and ship it so often; gives the process that does."""
        told = json.dumps({"repository": self.repository(), **self.log, "ship_every_seconds": every_seconds, **more})
        with (self.place / "stream.log").open("ab") as said:
            stream = subprocess.Popen([sys.executable, "-m", "backup", "stream"], stdin=subprocess.PIPE, stdout=said, stderr=said)
            _tell(stream, told)
        try:
            wait_until(lambda: any(self.spool.glob("receiving/*.partial")), seconds=CATCH_UP_SECONDS, what="the log to be received")
            yield stream
        finally:
            stream.terminate()
            stream.wait()

    def wait_until_received(self) -> None:
        """Until the receiver has everything on its disk that was committed."""
        wait_until(lambda: self.cluster.answer(CAUGHT_UP) is True, seconds=CATCH_UP_SECONDS, what="the log to be received to its end")


@contextmanager
def keeping(say: Say, *, scale: int = SCALE, files: int = FILES) -> Iterator[Keeping]:
    """A database of that scale and so many files, with an empty repository of ours; all is gone at the end of the block."""
    with TemporaryDirectory(prefix="benchmark-keeping-", dir="/var/tmp") as place, a_cluster(CLUSTER, PORT) as cluster:
        made = Keeping(place=Path(place), cluster=cluster, scale=scale)
        made.password_file.write_text(KEY)
        began = time.monotonic()
        fill_files(made.files, files, FILE_BYTES)
        cluster.fill(scale=scale)
        made.run("init", quick_key=True)
        size = cluster.answer("select pg_database_size('crm')") / 1024**2
        say(f"{size:.0f} MiB in the database and {files} files made in {time.monotonic() - began:.0f} s")
        yield made


def fill_files(folder: Path, count: int, size_bytes: int) -> None:
    """Make files that nothing makes smaller, a hundred to a directory."""
    for number in range(count):
        file = folder / f"{number // 100:04}" / f"{number:06}.pdf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size_bytes))


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def quietly_from(argv: Sequence[str], source: subprocess.Popen[bytes]) -> None:
    """Run a program that reads what another writes. Raises MeasureFailed if it does not succeed."""
    done = subprocess.run(argv, stdin=source.stdout, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(f"{argv[0]} ended with {done.returncode}: {done.stderr[-1000:]}")


def quietly_to(argv: Sequence[str], file: Path) -> None:
    """Let a program write a file. Raises MeasureFailed if it does not succeed."""
    with file.open("wb") as target:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(f"{argv[0]} ended with {done.returncode}: {done.stderr[-1000:]}")


def _tell(process: subprocess.Popen[bytes], told: str) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for as a pipe
    process.stdin.write(told.encode())
    process.stdin.close()
