"""A complete appliance that looks after hosts of the lab: own home and settings, worker and panel; its CRMs are on those hosts."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from appliance.config import Settings
from appliance.domain.operation import Operation, OperationStatus
from appliance.operations.certifying import authority
from appliance.operations.machines import KEY_SECRET
from appliance.operations.requesting import request
from appliance.operations.steps.health import count_spec
from appliance.store.models import HostRow
from appliance.wiring import Appliance, open_appliance
from tests.lab.host import LabHost
from tests.support.house import PROGRAMS, SEED, wait_for
from tests.support.operating import now

ROOT = Path("/srv/crm-appliance-hosts")
"""Short, since sockets lie below it."""
CRM = "crm"
DOMAIN = "crm.example.org"
LOGIN = "/creme_login/"
TOOLS_PYTHON = "/opt/crm-host/venv/bin/python"
PATIENCE_SECONDS = 600


@dataclass(kw_only=True)
class World:
    """One appliance, and the lab hosts that it knows by name."""

    directory: Path
    settings: Settings
    appliance: Appliance
    hosts: dict[str, LabHost] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this appliance is started with."""
        return {**os.environ, "APPLIANCE_CONFIG": str(self.settings.etc / "appliance.toml")}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as an administrator would."""
        argv = [str(PROGRAMS / "appliance"), *words]
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env=self.environment, timeout=PATIENCE_SECONDS, cwd="/", input=""
        )

    def done(self, *words: str) -> str:
        """The same, and it has to succeed."""
        ended = self.command(*words)
        assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
        return ended.stdout

    def add_words(self, host: LabHost, name: str = "web1") -> list[str]:
        """The words of the command that adds a host."""
        words = ["host", "add", name, "--address", host.address, "--port", str(host.port), "--user", host.user]
        return [*words, "--key", str(host.key_file), "--fingerprint", host.fingerprint]

    def add(self, host: LabHost, name: str = "web1") -> None:
        """Add a host by the command line."""
        self.done(*self.add_words(host, name))
        self.hosts[name] = host

    def meet(self, host: LabHost, name: str = "web1") -> None:
        """Let another host, which starts from the golden layer of a known one, take its place: its address and its keys."""
        with self.appliance.store.database.writing() as session:
            row = session.get_one(HostRow, name)
            row.address, row.host_key = host.address, host.host_key
        self.appliance.store.vault.put(f"host:{name}", KEY_SECRET, host.key_file.read_text())
        self.hosts[name] = host

    def start(self, program: str) -> None:
        """Start `worker`, `serve` or `monitor`."""
        argv = [str(PROGRAMS / "appliance"), program]
        with (self.settings.log / f"{program}.log").open("ab") as log:
            self.processes[program] = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log, cwd="/", start_new_session=True)

    def stop(self, program: str) -> None:
        """End it in good order."""
        process = self.processes.pop(program)
        process.terminate()
        process.wait(60)

    def kill_worker(self) -> None:
        """Kill -9 of the worker alone."""
        worker = self.processes.pop("worker")
        worker.kill()
        worker.wait()

    def kill_carrier(self, operation_id: int) -> None:
        """Kill -9 of the carrier of an operation alone."""
        file = self.settings.worker_lock.with_name(f"carrier-{operation_id}")
        os.kill(int(file.read_text().split()[0]), signal.SIGKILL)

    def request(self, kind: str, subject: str, **parameters: Any) -> int:
        """Request an operation, as the panel would."""
        return request(self.appliance, kind, subject, parameters, requested_by="Alice", now=now()).id

    def operation(self, operation_id: int) -> Operation:
        """As the journal has it now."""
        return self.appliance.store.operations.get(operation_id)

    def log_of(self, operation_id: int) -> str:
        """Everything that an operation said."""
        return "\n".join(line.text for line in self.appliance.store.logs.lines(operation_id, limit=100_000))

    def ended(self, operation_id: int, *, seconds: float = PATIENCE_SECONDS) -> Operation:
        """Wait until an operation has come to an end of any kind."""
        wait_for(lambda: _has_ended(self.operation(operation_id)), seconds=seconds)
        return self.operation(operation_id)

    def await_step(self, operation_id: int, step: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a step has begun."""
        wait_for(lambda: step in _begun(self.operation(operation_id)), seconds=seconds)

    def visitor(self, crm: str = CRM) -> httpx.Client:
        """Somebody's browser: it trusts the appliance's authority, and the CRM's name leads it to the host, wherever that is by now."""
        kept = self.appliance.store.instances.get(crm)
        url = httpx.URL(kept.url)

        def by_name(asked: httpx.Request) -> None:
            asked.extensions["sni_hostname"] = kept.domain

        return httpx.Client(
            base_url=url.copy_with(host=self.hosts[kept.host].address),
            headers={"Host": url.netloc.decode(), "Referer": kept.url},
            verify=ssl.create_default_context(cadata=authority(self.appliance, now()).certificate),
            event_hooks={"request": [by_name]},
            trust_env=False,
            timeout=20,
        )

    def serves(self, release: str, crm: str = CRM) -> bool:
        """Whether visitors of a CRM see its log-in page, of that release."""
        try:
            with self.visitor(crm) as visitor:
                answer = visitor.get(LOGIN)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and f"Version {release}" in answer.text

    def serves_again(self, release: str, crm: str = CRM, *, seconds: float = 120) -> None:
        """Wait until they do."""
        wait_for(lambda: self.serves(release, crm), seconds=seconds)

    def seed(self, crm: str = CRM) -> None:
        """Write a hundred contacts, organisations and opportunities with the vendor's own models."""
        assert "seeded" in self.launch("creme shell", SEED.read_text(), crm=crm)

    def launch(self, command: str, given: str, *, crm: str = CRM) -> str:
        """Run a command of the release in the environment of the deployment that serves; give what it printed."""
        kept = self.appliance.store.instances.get(crm)
        assert kept.deployment is not None
        argv = [f"{kept.deployment.directory}/launch", f"{kept.deployment.release_directory}/venv/bin/{command}"]
        return self.hosts[kept.host].run(["runuser", "-u", f"crm-{crm}", "--", *argv], input=given).stdout

    def records(self, crm: str = CRM) -> dict[str, Any]:
        """Counts and checksums of what serves, by the product's own definition, asked past the appliance."""
        kept = self.appliance.store.instances.get(crm)
        assert kept.deployment is not None
        spec = json.dumps(count_spec(self.appliance, kept, kept.deployment))
        said = self.hosts[kept.host].run([TOOLS_PYTHON, "-m", "backup", "inspect"], input=spec).stdout
        counted = json.loads(said.splitlines()[-1])
        return {"counts": counted["counts"], "checksums": counted["checksums"]}

    def ssh_processes(self) -> list[str]:
        """Connections of this appliance that are open, or begun."""
        return [line for line in _command_lines() if "ssh" in line.split(" ")[0] and str(self.settings.run) in line]


def assert_no_connection_is_left(world: World) -> None:
    """An operation closes its own a moment after its end."""
    wait_for(lambda: world.ssh_processes() == [], seconds=10)


def open_world(home: Path | None = None, **settings: Any) -> World:
    """Make an appliance, with the memory of another one when `home` is given, and start its worker."""
    directory = _take_directory()
    made = _settings(directory, **settings)
    for folder in (made.etc, made.log, made.run):
        folder.mkdir(parents=True)
    if home is not None:
        shutil.copytree(home, made.home)
    values = {name: str(value) if isinstance(value, Path) else value for name, value in made.model_dump().items()}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    (made.etc / "appliance.toml").write_text("\n".join(lines) + "\n")
    world = World(directory=directory, settings=made, appliance=open_appliance(made))
    world.start("worker")
    wait_for(made.worker_socket.exists, seconds=30)
    return world


def close_world(world: World) -> None:
    """Leave nothing of it, also when an operation is still at work."""
    for process in world.processes.values():
        process.kill()
        process.wait()
    end_processes_of(world.directory)
    world.appliance.store.database.engine.dispose()
    shutil.rmtree(world.directory)


@contextmanager
def a_world(home: Path | None = None, **settings: Any) -> Iterator[World]:
    """An appliance for the length of a block."""
    world = open_world(home, **settings)
    try:
        yield world
    finally:
        close_world(world)


def remove_leftovers() -> None:
    """What a run of the tests that died has left."""
    for directory in ROOT.glob("*"):
        end_processes_of(directory)
    shutil.rmtree(ROOT, ignore_errors=True)


def end_processes_of(directory: Path) -> None:
    """End every process that was started with the settings below a directory."""
    mark = f"APPLIANCE_CONFIG={directory}/"
    deadline = time.monotonic() + 20
    while found := [
        process for process in psutil.process_iter() if _environment(process).get("APPLIANCE_CONFIG", "=").startswith(mark[17:])
    ]:
        assert time.monotonic() < deadline, found
        for process in found:
            if process.pid != os.getpid():
                process.kill()
        time.sleep(0.05)


def _take_directory() -> Path:
    ROOT.mkdir(parents=True, exist_ok=True)
    for number in range(100):
        with suppress(FileExistsError):
            (ROOT / str(number)).mkdir()
            return ROOT / str(number)
    raise AssertionError(f"{ROOT} is full")


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def _command_lines() -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def _has_ended(operation: Operation) -> bool:
    return operation.status.is_final or operation.status == OperationStatus.NEEDS_ATTENTION


def _begun(operation: Operation) -> set[str]:
    return {step.name for step in operation.steps if step.started_at is not None}


def _settings(directory: Path, **changes: Any) -> Settings:
    number = int(directory.name)
    chosen: dict[str, Any] = {
        "home": directory / "home",
        "etc": directory / "etc",
        "run": directory / "run",
        "log": directory / "log",
        "cache": directory / "cache",
        "crm_root": directory / "crm",
        "panel_listen": f"127.0.0.1:{18470 + number}",
        "monitor_listen": f"127.0.0.1:{19470 + number}",
        "service_manager": "supervisord",
        "host_patience_seconds": 60,
        "orphan_patience_seconds": 60,
        "probe_interval_seconds": 5,
        "settling_seconds": 5,
    }
    return Settings(**(chosen | changes))
