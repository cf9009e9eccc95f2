"""A PostgreSQL server of the benchmarks' own, as Debian's tools make one, which root enters by peer."""

import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from benchmarks.figure import MeasureFailed
from benchmarks.waiting import wait_until

PROGRAMS = Path("/usr/lib/postgresql")
SERVING_SECONDS = 300
SHOWN_CHARACTERS = 1000
ACCOUNTS_PER_BRANCH = 100_000
BULK = {"fsync": "off", "max_wal_size": "8GB", "maintenance_work_mem": "512MB"}
"""While it is filled only."""
OF_THE_PRODUCT = {"shared_buffers": "128MB", "max_wal_size": "512MB", "max_slot_wal_keep_size": "4GB"}
"""What a CRM's own server is told by the role `cluster`."""
FILL = """
insert into pgbench_accounts (aid, bid, abalance, filler)
select n, (n - 1) / 100000 + 1, 0, substr(md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text), 1, 84) from generate_series({}, {}) n
"""
"""pgbench's own filler is empty, which no copy has to carry."""
BRANCHES = "insert into pgbench_branches select n, 0 from generate_series(1, {}) n"
TELLERS = "insert into pgbench_tellers select n, (n - 1) / 10 + 1, 0 from generate_series(1, {}) n"


def quietly(argv: Sequence[str | Path]) -> str:
    """Run a program and give what it wrote. Raises MeasureFailed if it does not succeed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(f"{argv[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-SHOWN_CHARACTERS:]}")
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One cluster, whose server may run; its database of the measures is called `crm`."""

    version: str
    name: str
    port: int
    sockets: Path

    @property
    def data(self) -> Path:
        """Its files."""
        return Path("/var/lib/postgresql") / self.version / self.name

    @property
    def spec(self) -> dict[str, Any]:
        """How `python -m backup` is told of its database."""
        return {"name": "crm", "port": self.port, "socket_directory": str(self.sockets), "user": "postgres"}

    @property
    def address(self) -> list[str]:
        """How PostgreSQL's programs are told of it."""
        return [f"--host={self.sockets}", f"--port={self.port}", "--username=postgres"]

    def program(self, name: str) -> str:
        """Name a program of its version."""
        return str(PROGRAMS / self.version / "bin" / name)

    def control(self, verb: str, *more: str) -> None:
        """Start, stop or restart its server. Raises MeasureFailed."""
        with (self.sockets / "control.log").open("wb") as log:  # the server keeps what it inherits open
            argv = ["pg_ctlcluster", self.version, self.name, verb, *more]
            code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
        if code:
            raise MeasureFailed(f"{' '.join(argv)} ended with {code}: {(self.sockets / 'control.log').read_text()[-SHOWN_CHARACTERS:]}")

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let its server run for the length of the block, started as a service is; Debian's tool alone looks once a second if it serves."""
        argv = ["pg_ctlcluster", "--foreground", self.version, self.name, "start"]
        with (
            (self.sockets / "serving.log").open("wb") as log,
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server,
        ):
            try:
                yield
            finally:
                server.send_signal(signal.SIGINT)

    def connected(self, database: str = "crm") -> psycopg.Connection:
        """Connect; each statement is a transaction."""
        return psycopg.connect(host=str(self.sockets), port=self.port, user="postgres", dbname=database, autocommit=True)

    def sql(self, *statements: str, database: str = "crm") -> None:
        """Carry statements out."""
        with self.connected(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def answer(self, query: str, *, database: str = "crm") -> Any:
        """The first value that a query answers with."""
        with self.connected(database) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None  # noqa: S101 - every query of the measures answers with a row
        return row[0]

    def serves(self) -> bool:
        """Whether it has recovered, and answers."""
        with suppress(psycopg.Error):
            return self.answer("select pg_is_in_recovery()", database="postgres") is False
        return False

    def settings(self, wanted: Mapping[str, str]) -> None:
        """Let it have these settings and no others, and start it anew."""
        lines = [f"{name} = '{value}'\n" for name, value in {**OF_THE_PRODUCT, **wanted}.items()]
        Path("/etc/postgresql", self.version, self.name, "conf.d", "bench.conf").write_text("".join(lines))
        self.control("restart")

    def fill(self, *, scale: int) -> None:
        """Make the tables of pgbench; each step of `scale` is about 15 MB with its keys."""
        self.settings(BULK)
        quietly([self.program("pgbench"), *self.address, "-i", "-I", "dt", "-s", str(scale), "crm"])
        half, last = scale // 2 * ACCOUNTS_PER_BRANCH, scale * ACCOUNTS_PER_BRANCH
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.sql, [FILL.format(1, half), FILL.format(half + 1, last)]))
        self.sql(BRANCHES.format(scale), TELLERS.format(scale * 10))
        quietly([self.program("pgbench"), *self.address, "-i", "-I", "vp", "-s", str(scale), "crm"])
        self.sql("checkpoint")
        self.settings({})


@contextmanager
def a_cluster(name: str, port: int, *, empty: bool = False) -> Iterator[Cluster]:
    """Make a cluster and start it, or only its configuration without any data (`empty`); it is dropped at the end of the block."""
    version = max(folder.name for folder in PROGRAMS.iterdir())
    with TemporaryDirectory(prefix="benchmark-cluster-") as place:
        Path(place).chmod(0o777)
        cluster = Cluster(version=version, name=name, port=port, sockets=Path(place))
        drop(cluster)
        try:
            quietly(["pg_createcluster", "-s", place, "-p", str(port), "-o", "listen_addresses=", version, name, "--", "--data-checksums"])
            _configure(cluster)
            if empty:
                shutil.rmtree(cluster.data)
            else:
                cluster.control("start")
                cluster.sql("create database crm", database="postgres")
            yield cluster
        finally:
            drop(cluster)


def drop(cluster: Cluster) -> None:
    """Leave nothing of it, however far it came."""
    for verb in (
        ["pg_ctlcluster", cluster.version, cluster.name, "stop", "-m", "immediate"],
        ["pg_dropcluster", cluster.version, cluster.name],
    ):
        subprocess.run(verb, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    shutil.rmtree(cluster.data, ignore_errors=True)
    shutil.rmtree(Path("/etc/postgresql", cluster.version, cluster.name), ignore_errors=True)


def _configure(cluster: Cluster) -> None:
    folder = Path("/etc/postgresql", cluster.version, cluster.name)
    (folder / "pg_hba.conf").write_text("local all,replication all peer map=bench\n")
    (folder / "pg_ident.conf").write_text("bench root postgres\nbench postgres postgres\n")


def started(cluster: Cluster) -> None:
    """Start its server, and wait until it has recovered and answers. Raises MeasureFailed."""
    cluster.control("start")
    wait_until(cluster.serves, seconds=SERVING_SECONDS, what=f"the server of {cluster.name} to answer")
