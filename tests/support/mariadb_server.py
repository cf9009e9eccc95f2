"""A real MariaDB server of a test's own: its directory, its socket, no port. Root administers it (unix_socket), and does not run it."""

import atexit
import functools
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymysql

from backup.engines.mariadb_connection import Session
from tests.support.backup_world import quietly
from tests.support.house import wait_for

USER = "nobody"
ROOT = ("--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--skip-test-db")
SETTINGS = ("--skip-networking", "--log-bin=binlog", "--server-id=1", "--innodb-buffer-pool-size=64M")


@dataclass(kw_only=True)
class Server:
    """One server; `folder` is where it is at home."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "server.sock"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def spec(self, name: str, **more: Any) -> dict[str, Any]:
        return {"engine": "mariadb", "name": name, "socket": str(self.socket), **more}

    def connected(self, name: str | None = None) -> Session:
        return pymysql.connect(unix_socket=str(self.socket), user="root", database=name, charset="utf8mb4", autocommit=True)

    def sql(self, name: str | None, *statements: str) -> None:
        with closing(self.connected(name)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def answer(self, name: str, query: str) -> Any:
        with closing(self.connected(name)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
        assert row is not None
        return row[0]

    def create(self, name: str) -> None:
        self.sql(None, f"drop database if exists {name}", f"create database {name}")

    def install(self) -> None:
        """Make its directory; the server that was there before is forgotten."""
        shutil.rmtree(self.data, ignore_errors=True)
        quietly("cp", "--archive", str(_installed()), str(self.data))

    def start(self, *settings: str) -> None:
        """Start it and wait until it answers."""
        where = [f"--datadir={self.data}", f"--socket={self.socket}", f"--pid-file={self.folder / 'pid'}"]
        with (self.folder / "log").open("ab") as log:
            argv = ["mariadbd", "--no-defaults", *where, *SETTINGS, *settings]
            self.process = subprocess.Popen(argv, user=USER, extra_groups=[], stdout=log, stderr=log)
        wait_for(self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        asked = ["mariadb-admin", "--no-defaults", f"--socket={self.socket}", "--user=root", "ping"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(60)


@functools.cache
def _installed() -> Path:
    """The directory of a server that was never started, made once and copied for each."""
    folder = Path(tempfile.mkdtemp(prefix="tbackup-installed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.chown(folder, USER)
    data = folder / "data"
    quietly("setpriv", f"--reuid={USER}", "--clear-groups", "mariadb-install-db", "--no-defaults", f"--datadir={data}", *ROOT)
    return data


@contextmanager
def running_server() -> Iterator[Server]:
    """Make one, and remove it with everything."""
    with TemporaryDirectory(prefix="tbackup-") as folder:  # pytest's own folders are closed to other users
        shutil.chown(folder, USER)
        Path(folder).chmod(0o755)
        server = Server(folder=Path(folder))
        server.install()
        server.start()
        try:
            yield server
        finally:
            server.end()
