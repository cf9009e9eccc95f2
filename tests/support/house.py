"""A second, complete appliance beside whatever lives on this machine: own home, ports, nginx, supervisord, CRMs. Nothing in it is faked."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from appliance.config import Settings
from appliance.operations.kits import kit_password
from appliance.operations.machines import layout_on
from appliance.operations.steps.health import count_spec
from appliance.operations.steps.repositories import LOCAL_REPOSITORY, PASSWORD, repository_scope
from appliance.operations.variables import database_spec
from appliance.setup import processes
from appliance.setup.supervision import Supervisord
from appliance.wiring import Appliance, open_appliance
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.traces import drop_clusters, remove_users
from tests.support.watching import CommandLineWatch

CLONE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent
SEED = CLONE / "tests" / "support" / "creme_seed.py"
NGINX = """
user www-data;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/log/nginx-error.log;
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  client_body_temp_path {root}/nginx-body; proxy_temp_path {root}/nginx-proxy; fastcgi_temp_path {root}/nginx-fastcgi;
  uwsgi_temp_path {root}/nginx-uwsgi; scgi_temp_path {root}/nginx-scgi;
  include {root}/nginx.d/*.conf;
}}
"""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Where a house stands. Its instances are called as its prefix says, or begin so: users and clusters are the whole machine's."""

    root: Path
    prefix: str
    first_port: int

    @property
    def settings(self) -> Settings:
        """Of the appliance in a house that stands here."""
        return Settings(
            home=self.root / "home",
            etc=self.root / "etc",
            run=self.root / "run",
            log=self.root / "log",
            cache=Path(os.environ.get("GROUNDWORK_CACHE", "/var/cache/crm-appliance-trial")) / "house",
            crm_root=self.root / "crm",
            panel_listen=f"127.0.0.1:{self.first_port}",
            monitor_listen=f"127.0.0.1:{self.first_port + 1}",
            crm_port_base=self.first_port + 10,
            database_port_base=self.first_port - 3000,
            deployment_port_base=self.first_port + 15000,
            nginx_configuration=self.root / "nginx.conf",
            nginx_directory=self.root / "nginx.d",
            service_manager="supervisord",
            probe_interval_seconds=5,
            settling_seconds=1,
            archive_ship_seconds=2,
        )


TRIAL = Plot(root=Path("/srv/crm-appliance-trial"), prefix="trial", first_port=8770)
RESCUE = Plot(root=Path("/srv/crm-appliance-rescue"), prefix="rescue", first_port=8970)
"""Two houses stand side by side, so that two lanes of tests can have one each."""


@dataclass(kw_only=True)
class House:
    """The appliance under test."""

    plot: Plot
    settings: Settings
    appliance: Appliance
    watch: CommandLineWatch = field(default_factory=CommandLineWatch)

    def command(self, *words: str, timeout_seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run the command line as an administrator would."""
        argv = [str(PROGRAMS / "appliance"), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=self.environment, timeout=timeout_seconds, cwd="/")

    def done(self, *words: str) -> str:
        """The same, and it has to succeed."""
        ended = self.command(*words)
        assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
        return ended.stdout

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the house is started with."""
        return {**os.environ, "APPLIANCE_CONFIG": str(self.settings.etc / "appliance.toml")}

    def stop_own_worker(self) -> None:
        """Stop the supervised worker, so that a test's own takes its place."""
        self.supervisorctl("stop", "appliance-worker")

    def start_own_worker(self) -> None:
        """Start the supervised worker again."""
        self.supervisorctl("start", "appliance-worker")

    @contextmanager
    def own_worker_stopped(self) -> Iterator[None]:
        """For as long as a test works with a worker of its own."""
        self.stop_own_worker()
        try:
            yield
        finally:
            self.start_own_worker()

    def get(self, path: str, *, port: int) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of a page of a CRM."""
        answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=20, follow_redirects=True)
        return answer.status_code, dict(answer.headers), answer.text

    def launch(self, instance: str, command: str, stdin: Path) -> str:
        """Run a command in the environment of the deployment that serves."""
        deployment = self.appliance.store.instances.get(instance).deployment
        assert deployment is not None
        argv = [
            "runuser",
            "-u",
            f"crm-{instance}",
            "--",
            f"{deployment.directory}/launch",
            f"{deployment.release_directory}/venv/bin/{command}",
        ]
        with stdin.open() as stream:
            done = subprocess.run(argv, stdin=stream, capture_output=True, text=True, check=True, cwd="/", timeout=120)
        return done.stdout

    def seed(self, instance: str) -> None:
        """Write a hundred contacts, organisations and opportunities."""
        assert "seeded" in self.launch(instance, "creme shell", SEED)

    def records(self, instance: str) -> dict[str, Any]:
        """Counts and checksums of what serves, by the product's own definition."""
        kept = self.appliance.store.instances.get(instance)
        assert kept.deployment is not None
        spec = json.dumps(count_spec(self.appliance, kept, kept.deployment))
        done = subprocess.run([sys.executable, "-m", "backup", "inspect"], input=spec, capture_output=True, text=True, check=True)
        counted = json.loads(done.stdout.splitlines()[-1])
        return {"counts": counted["counts"], "checksums": counted["checksums"]}

    def make_opening_cheap(self) -> None:
        """Once its repository was made by a backup, have restic open it at almost no cost."""
        password = self.appliance.store.vault.get(repository_scope(LOCAL_REPOSITORY), PASSWORD)
        assert password is not None
        make_opening_cheap(self.settings.repository_directory, password)

    def make_opening_cheap_elsewhere(self, name: str, folder: Path) -> None:
        """The same of one elsewhere that lies in a folder, and which a recovery kit opens, too."""
        password = self.appliance.store.vault.get(repository_scope(name), PASSWORD)
        assert password is not None
        make_opening_cheap(folder, password, kit_password(self.appliance, name))

    def sql(self, instance: str, statement: str, *, database: str | None = None) -> str:
        """Run a statement as the administrator of the cluster that serves, in the CRM's database or another one; give what it printed."""
        kept = self.appliance.store.instances.get(instance)
        assert kept.deployment is not None
        spec = database_spec(layout_on(self.appliance, kept.host), kept, kept.deployment)
        where = ["-h", spec["socket_directory"], "-p", str(spec["port"]), "-U", spec["user"], "-d", database or spec["name"]]
        argv = ["psql", "-qAtX", *where, "-v", "ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def supervisorctl(self, *words: str) -> None:
        """Start or stop services by hand."""
        argv = [str(PROGRAMS / "supervisorctl"), "-c", str(self.settings.supervisor_configuration), *words]
        subprocess.run(argv, check=True, capture_output=True)


@contextmanager
def a_house(plot: Plot) -> Iterator[House]:
    """A house for the length of a block."""
    built = _build(plot)
    try:
        yield built
    finally:
        built.watch.stop()
        tear_down(plot)


def _build(plot: Plot) -> House:
    """Make the house and start its panel, worker, monitor and nginx."""
    settings = lay_bare(plot)
    house = House(plot=plot, settings=settings, appliance=open_appliance(settings))
    processes.start(settings, house.environment, PROGRAMS)
    house.watch.start()
    return house


def lay_bare(plot: Plot) -> Settings:
    """A machine that no appliance has run on; only where things are to be is said already."""
    tear_down(plot)
    for folder in (plot.root / "nginx.d", plot.root / "log"):
        folder.mkdir(parents=True)
    (plot.root / "nginx.conf").write_text(NGINX.format(root=plot.root))
    settings = plot.settings
    settings.etc.mkdir()
    lines = [f"{name} = {json.dumps(str(value) if isinstance(value, Path) else value)}" for name, value in settings.model_dump().items()]
    (settings.etc / "appliance.toml").write_text("\n".join(lines) + "\n")
    return settings


def tear_down(plot: Plot) -> None:
    """Leave nothing of the house, whatever a run before has left."""
    if plot.settings.etc.exists():
        Supervisord(settings=plot.settings).shut_down()
    drop_clusters(plot.prefix)
    remove_users(f"crm-{plot.prefix}")
    shutil.rmtree(plot.root, ignore_errors=True)


def wait_for(condition: Any, *, seconds: float = 120) -> None:
    """Wait until a condition is true; fail the test when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)
