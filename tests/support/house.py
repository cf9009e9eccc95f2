"""A second, complete appliance beside whatever lives on this machine: own home, ports, nginx, supervisord, CRMs. Nothing in it is faked."""

import json
import os
import pwd
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
from appliance.operations.steps.health import count_spec
from appliance.setup import processes
from appliance.setup.supervision import Supervisord
from appliance.wiring import Appliance, open_appliance
from tests.support.watching import CommandLineWatch

CLONE = Path(__file__).resolve().parents[2]
ROOT = Path("/srv/crm-appliance-trial")
PROGRAMS = Path(sys.executable).parent
PREFIX = "trial"
"""Every instance of the house is called so, or begins so: users and clusters are shared with the rest of the machine."""
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


@dataclass(kw_only=True)
class House:
    """The appliance under test."""

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
        self._supervisorctl("stop", "appliance-worker")

    def start_own_worker(self) -> None:
        """Start the supervised worker again."""
        self._supervisorctl("start", "appliance-worker")

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

    def _supervisorctl(self, *words: str) -> None:
        subprocess.run(
            [str(PROGRAMS / "supervisorctl"), "-c", str(self.settings.supervisor_configuration), *words], check=True, capture_output=True
        )


def build() -> House:
    """Make the house and start its panel, worker, monitor and nginx."""
    tear_down()
    ROOT.mkdir(parents=True)
    (ROOT / "nginx.d").mkdir()
    (ROOT / "log").mkdir()
    (ROOT / "nginx.conf").write_text(NGINX.format(root=ROOT))
    settings = _settings()
    settings.etc.mkdir()
    lines = [f"{name} = {json.dumps(str(value) if isinstance(value, Path) else value)}" for name, value in settings.model_dump().items()]
    (settings.etc / "appliance.toml").write_text("\n".join(lines) + "\n")
    house = House(settings=settings, appliance=open_appliance(settings))
    processes.start(settings, house.environment, PROGRAMS)
    house.watch.start()
    return house


def tear_down() -> None:
    """Leave nothing of the house, whatever a run before has left."""
    settings = _settings()
    if settings.etc.exists():
        Supervisord(settings=settings).shut_down()
    for directory in Path("/etc/postgresql").glob(f"*/{PREFIX}*"):
        wait_for(lambda directory=directory: _is_dropped(directory))
    for entry in pwd.getpwall():
        if entry.pw_name.startswith(f"crm-{PREFIX}"):
            subprocess.run(["pkill", "-9", "-u", entry.pw_name], check=False)
            subprocess.run(["userdel", entry.pw_name], check=False, capture_output=True)
    shutil.rmtree(ROOT, ignore_errors=True)


def _is_dropped(cluster: Path) -> bool:
    """Drop a cluster; a server that is still on its way down is tried again."""
    version = cluster.parent.name
    subprocess.run(["pg_dropcluster", "--stop", version, cluster.name], check=False, capture_output=True)
    if not Path("/var/lib/postgresql", version, cluster.name).exists():
        shutil.rmtree(cluster)  # Debian's tool leaves configuration that it did not write
    return not cluster.exists()


def _settings() -> Settings:
    return Settings(
        home=ROOT / "home",
        etc=ROOT / "etc",
        run=ROOT / "run",
        log=ROOT / "log",
        cache=Path(os.environ.get("GROUNDWORK_CACHE", "/var/cache/crm-appliance-trial")) / "house",
        crm_root=ROOT / "crm",
        panel_listen="127.0.0.1:8770",
        monitor_listen="127.0.0.1:9770",
        crm_port_base=8780,
        database_port_base=5800,
        deployment_port_base=23000,
        nginx_configuration=ROOT / "nginx.conf",
        nginx_directory=ROOT / "nginx.d",
        service_manager="supervisord",
        probe_interval_seconds=5,
        settling_seconds=1,
    )


def wait_for(condition: Any, *, seconds: float = 60) -> None:
    """Wait until a condition is true; fail the test when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)
