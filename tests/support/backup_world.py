"""A real PostgreSQL cluster, a real restic repository and `python -m backup`, for tests of the backup package."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.house import wait_for
from tests.support.rest_server import PASSWORD, USER
from tests.support.traces import drop_clusters

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
CLUSTER = f"tbackup{PROCESS}"
"""Each process of a test run has one of its own, so that the files of these tests run side by side."""
VERSION = max(folder.name for folder in Path("/usr/lib/postgresql").iterdir())
PORT = 15439 + 10 * int(PROCESS.removeprefix("gw") or 0)
FILL = "insert into contact (name, note) select 'O''Brien \"' || n, repeat(md5(n::text), 40) from generate_series(1, %d) n"
ROWS = "select count(*) from contact"
DIGEST = "select md5(coalesce(string_agg(c::text, '|' order by id), '')) from contact c"


def quietly(*argv: str) -> None:
    """Run a program that has to succeed; what it printed is told only if it does not."""
    ended = subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, ended.stdout


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one run of the program went."""

    code: int
    events: list[dict[str, Any]]
    stderr: str

    @property
    def last(self) -> dict[str, Any]:
        assert self.events, self.stderr
        return self.events[-1]

    @property
    def said(self) -> str:
        return str(self.last.get("message"))


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A PostgreSQL cluster of the tests' own, which root enters by peer."""

    sockets: Path
    port: int = PORT

    def spec(self, name: str) -> dict[str, Any]:
        return {"engine": "postgresql", "name": name, "port": self.port, "socket_directory": str(self.sockets), "user": "postgres"}

    def connected(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.sockets), port=self.port, user="postgres", dbname=database, autocommit=True)

    def sql(self, database: str, *statements: str) -> None:
        with self.connected(database) as connection:
            for statement in statements:
                connection.execute(statement)

    def answer(self, database: str, query: str) -> Any:
        with self.connected(database) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def create(self, name: str) -> None:
        self.sql("postgres", f"drop database if exists {name} with (force)", f"create database {name} owner crm")

    def create_crm(self, name: str, *, rows: int) -> None:
        self.create(name)
        table = "create table contact (id serial primary key, name text, note text)"
        index = "create index on contact using gin (name gin_trgm_ops)"
        self.sql(
            name, "set role crm", "create extension pg_trgm", table, FILL % rows, index, "create view names as select name from contact"
        )

    @contextmanager
    def dump_held(self, name: str) -> Iterator[psycopg.Connection]:
        """Stop any dump of a database after its tables, before the position of its sequence, until the block ends.

        Gives a connection of its own to the database.
        """
        with self.connected(name) as holder, self.connected(name) as other, holder.transaction(force_rollback=True):
            holder.execute("alter sequence contact_id_seq rename to held")
            yield other

    def wait_until_held(self, other: psycopg.Connection) -> int:
        """Wait until a dump has come to where it is held; gives the process id of its server process."""
        waiting = "select pid from pg_stat_activity where application_name = 'pg_dump' and wait_event_type = 'Lock'"
        for _ in range(6000):
            if row := other.execute(waiting).fetchone():
                return int(row[0])
            time.sleep(0.01)
        raise AssertionError("no dump came to where it is held")


NO_CLUSTER = Cluster(sockets=Path("/nowhere"))
"""For worlds of files alone."""


@dataclass(frozen=True, kw_only=True)
class World:
    """One repository with its password, uploads to back up, and a CRM's database."""

    directory: Path
    cluster: Cluster
    environment: dict[str, str] = field(default_factory=dict)
    location: Path
    prefix: tuple[str, ...] = ()
    """What its runs are started by."""
    lock_directory: Path | None = None

    @property
    def password_file(self) -> Path:
        return self.directory / "password"

    @property
    def flags(self) -> list[str]:
        return ["--repository", str(self.location), "--password-file", str(self.password_file)]

    @property
    def uploads(self) -> Path:
        return self.directory / "uploads"

    @property
    def repository(self) -> dict[str, Any]:
        leases = {"lock_directory": str(self.lock_directory)} if self.lock_directory else {}
        return {"location": str(self.location), "password_file": str(self.password_file), "wait_seconds": 20, **leases}

    def repository_at(self, port: int) -> dict[str, Any]:
        """A repository on a REST server, and what this host is told of it."""
        (self.directory / "user").write_text(USER)
        (self.directory / "adding").write_text(PASSWORD)
        return {
            **self.repository,
            "location": f"rest:http://127.0.0.1:{port}/crm/",
            "lock_directory": str(self.directory / "leases"),
            "credentials": {"RESTIC_REST_USERNAME": str(self.directory / "user"), "RESTIC_REST_PASSWORD": str(self.directory / "adding")},
        }

    def backup_spec(self, point: str, **changes: Any) -> dict[str, Any]:
        spec = {
            "repository": self.repository,
            "crm": "demo",
            "point": point,
            "database": self.cluster.spec("tb_live"),
            "paths": [str(self.uploads)],
            "record": {"product": "creme", "release": "2.7.13", "settings": {"language": "fr"}},
            "counts": {"contacts": ROWS},
            "checksums": {"contacts": DIGEST},
        }
        return spec | changes

    def restore_spec(self, point: str, **changes: Any) -> dict[str, Any]:
        files = {str(self.uploads): str(self.directory / "restored")}
        spec = {"repository": self.repository, "point": point, "database": self.cluster.spec("tb_copy"), "role": "crm", "files": files}
        return spec | changes

    def start(self, verb: str, spec: dict[str, Any]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "backup", verb],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.directory), **self.environment},
            cwd=Path(__file__).parents[2],
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(spec))
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, verb: str, **spec: Any) -> Run:
        return self.ended(self.start(verb, spec if verb == "inspect" else {"repository": self.repository, **spec}))

    def ended(self, process: subprocess.Popen[str]) -> Run:
        stdout, stderr = process.communicate(timeout=240)
        return Run(code=process.returncode, events=[json.loads(line) for line in stdout.splitlines()], stderr=stderr)

    def backup(self, point: str, **changes: Any) -> Run:
        return self.run("backup", **self.backup_spec(point, **changes))

    def points(self) -> list[str]:
        run = self.run("points")
        assert run.code == 0, run
        return [point["id"] for point in run.last["points"]]

    def leftovers(self) -> list[str]:
        return [leftover["part"] for leftover in self.run("leftovers").last["leftovers"]]

    def restic(self, *arguments: str) -> str:
        flags = ["--repo", str(self.location), "--password-file", str(self.password_file), "--no-cache"]
        return subprocess.run(["restic", *flags, *arguments], check=True, capture_output=True, text=True).stdout


def contents_of(folder: Path) -> dict[str, str]:
    """The text of each file below a directory."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def receiving(world: World, elsewhere: Mapping[str, dict[str, Any]], *, every_seconds: float = 1) -> Iterator[None]:
    """Receive the log of the CRM's database for the length of a block, and ship it each second, into repositories elsewhere, too."""
    spool = {"crm": "demo", "spool": str(world.directory / "spool"), "ship_every_seconds": every_seconds}
    relays = [{"repository": repository, "name": name, **spool} for name, repository in elsewhere.items()]
    spec = {"repository": world.repository, "database": world.cluster.spec("tb_live"), "relays": relays, **spool}
    receiver = world.start("stream", spec)
    try:
        wait_for(lambda: any((world.directory / "spool").glob("receiving/*.partial")))
        yield
    finally:
        receiver.send_signal(signal.SIGTERM)
        assert world.ended(receiver).code == 130
        world.cluster.sql("postgres", "select pg_drop_replication_slot('crm_backup')")


@contextmanager
def sockets_of_a_cluster() -> Iterator[Path]:
    """A directory for its socket: pytest's own are closed to the user postgres."""
    with TemporaryDirectory(prefix="tbackup-") as folder:
        sockets = Path(folder)
        sockets.chmod(0o777)
        yield sockets


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """The cluster of the tests' own, which is dropped at the end of the block."""
    drop_clusters(CLUSTER)
    folder = Path(f"/etc/postgresql/{VERSION}/{CLUSTER}")
    with sockets_of_a_cluster() as sockets:
        options = ["-o", "listen_addresses=", "-o", "fsync=off"]
        quietly("pg_createcluster", "-s", str(sockets), "-p", str(PORT), *options, VERSION, CLUSTER, "--", "--no-sync")
        (folder / "pg_hba.conf").write_text("local all,replication all peer map=tbackup\n")
        (folder / "pg_ident.conf").write_text("tbackup root postgres\n")
        try:
            quietly("pg_ctlcluster", VERSION, CLUSTER, "start")
            found = Cluster(sockets=sockets)
            found.sql("postgres", "create role crm login")
            yield found
        finally:
            drop_clusters(CLUSTER)


def make_repository(folder: Path) -> Path:
    """An initialised repository, which opens quickly."""
    made = World(directory=folder, cluster=NO_CLUSTER, location=folder / "repository")
    made.password_file.write_text("a made-up password\n")
    assert made.run("init").last["created"] is True
    make_opening_cheap(made.location, made.password_file.read_text().strip())
    return made.location


def make_world(folder: Path, cluster: Cluster, empty_repository: Path) -> World:
    """A CRM of 300 contacts and two uploads, an empty database beside it, and an empty repository."""
    made = make_files(folder, empty_repository, cluster)
    cluster.create_crm("tb_live", rows=300)
    cluster.create("tb_copy")
    return made


def make_files(folder: Path, empty_repository: Path, cluster: Cluster) -> World:
    """Two uploads and an empty repository."""
    made = World(directory=folder, cluster=cluster, location=folder / "repository")
    made.password_file.write_text("a made-up password\n")
    made.uploads.mkdir()
    (made.uploads / 'report "1"\nof\'May.txt').write_text("a file name with quotes and a newline")
    (made.uploads / "--password-command=touch pwned").write_text("a file name like an option")
    shutil.copytree(empty_repository, made.location)
    return made
