"""The commands that an upgrade cannot do without, run bare on a copy of a database, and one restart of the web server."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.domain.instance import Deployment, Instance
from appliance.products.catalogue import Product
from benchmarks.figure import MeasureFailed
from benchmarks.outage import is_answered
from benchmarks.waiting import wait_until

LOGIN_PAGE = "/creme_login/"
STOP_SECONDS = 40
START_SECONDS = 120
SHOWN_CHARACTERS = 1000


@dataclass(frozen=True, kw_only=True)
class Commands:
    """The CRM's own commands by the release of a deployment, on another database of a cluster than the deployment's."""

    instance: Instance
    deployment: Deployment
    database: str
    socket_directory: Path
    database_port: int
    web_port: int

    @contextmanager
    def copied(self, source: str) -> Iterator[None]:
        """Make the database as a copy of `source`, which nobody may be using, for as long as the block runs."""
        self.sql(f"create database {self.database} template {source} owner crm")
        try:
            yield
        finally:
            self.sql(f"drop database if exists {self.database} with (force)")

    def timed(self, command: str) -> float:
        """Run `creme COMMAND` and give the seconds it took. Raises MeasureFailed."""
        began = time.monotonic()
        done = subprocess.run(self._argv(f"creme {command}"), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        took = time.monotonic() - began
        if done.returncode:
            raise MeasureFailed(f"creme {command} ended with {done.returncode}: {(done.stdout + done.stderr)[-SHOWN_CHARACTERS:]}")
        return took

    def timed_restart(self) -> float:
        """Stop a web server that answers, start it again, and give the seconds until it answers again. Raises MeasureFailed."""
        with self._serving() as web:
            began = time.monotonic()
            os.kill(web.pid, signal.SIGTERM)
            web.wait(timeout=STOP_SECONDS)
            with self._serving():
                return time.monotonic() - began

    def size_bytes(self) -> int:
        """The size of the database."""
        return int(self.sql(f"select pg_database_size('{self.database}')"))

    def timed_dump(self, source: str) -> float:
        """Dump a database into a file, as is done before an upgrade by hand; gives the seconds. Raises MeasureFailed."""
        reach = ["-h", str(self.socket_directory), "-p", str(self.database_port), "-U", "postgres"]
        with tempfile.NamedTemporaryFile(prefix="benchmark-dump-") as file:
            return _timed(["pg_dump", *reach, "-Fc", f"--file={file.name}", source])

    def timed_packages(self, product: Product) -> float:
        """Install the release's packages with pip into a new environment; gives the seconds. Raises MeasureFailed."""
        with tempfile.TemporaryDirectory(prefix="benchmark-packages-") as place:
            pip = [f"{place}/venv/bin/pip", "install", "--quiet", "--require-hashes", "-r", str(product.lock_of(self.deployment.version))]
            return _timed([sys.executable, "-m", "venv", f"{place}/venv"]) + _timed(pip)

    def feed(self, script: Path) -> str:
        """Feed a script to `creme shell`; gives what it printed. Raises MeasureFailed."""
        with script.open() as stream:
            done = subprocess.run(self._argv("creme shell"), stdin=stream, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MeasureFailed(f"{script.name} failed: {(done.stdout + done.stderr)[-SHOWN_CHARACTERS:]}")
        return done.stdout.strip()

    @contextmanager
    def _serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Give the web server once it answers; it has ended when the block ends."""
        command = f"gunicorn --no-control-socket --workers 2 --timeout 120 --bind 127.0.0.1:{self.web_port} crmsite.wsgi:application"
        argv = self._argv(command)
        web = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_until(
                lambda: is_answered("127.0.0.1", self.web_port, LOGIN_PAGE),
                seconds=START_SECONDS,
                what="gunicorn to answer",
                pause_seconds=0.1,
            )
            yield web
        finally:
            if web.poll() is None:
                os.kill(web.pid, signal.SIGTERM)
                web.wait(timeout=STOP_SECONDS)

    def _argv(self, command: str) -> list[str]:
        """Run as the CRM's user, without a process between: setpriv and the launcher replace themselves."""
        user = ["setpriv", f"--reuid={self.instance.user}", f"--regid={self.instance.user}", "--init-groups"]
        environment = f"CRM_DATABASE={self.database} CRM_DATABASE_PORT={self.database_port}"
        return [*user, f"{self.deployment.directory}/launch", f"env {environment} {self.deployment.release_directory}/venv/bin/{command}"]

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run a statement as the cluster's administrator; gives what it printed. Raises MeasureFailed."""
        reach = ["-h", str(self.socket_directory), "-p", str(self.database_port), "-U", "postgres", "-d", database]
        argv = ["psql", "-qAtX", "--set=ON_ERROR_STOP=1", *reach, "-c", statement]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MeasureFailed(f"PostgreSQL refused {statement!r}: {done.stderr.strip()}")
        return done.stdout.strip()


def _timed(argv: list[str]) -> float:
    began = time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasureFailed(f"{argv[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-SHOWN_CHARACTERS:]}")
    return time.monotonic() - began
