"""An appliance of the benchmarks' own beside whatever lives on this machine: its own directories, ports, supervisord and nginx."""

import os
import pwd
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.config import Settings
from appliance.domain.instance import Instance
from appliance.domain.operation import Operation, OperationStatus
from appliance.errors import ApplianceError, Conflict
from appliance.hosts.playbooks import run_playbook
from appliance.hosts.reach import Local
from appliance.operations.machines import layout_on
from appliance.operations.requesting import cancel, request
from appliance.operations.variables import crm_variables, host_variables
from appliance.setup import processes
from appliance.wiring import Appliance, open_appliance
from benchmarks.figure import MeasureFailed, Say

ACTOR = "benchmarks"
PLACE = Path("/srv")
"""Not below /tmp: nginx and the CRM's user have to enter."""
POLL_SECONDS = 0.2
LONGEST_SECONDS = 1800
CANCEL_SECONDS = 300
NGINX = """\
user www-data;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/log/nginx-error.log;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {root}/temp/body; proxy_temp_path {root}/temp/proxy; fastcgi_temp_path {root}/temp/fastcgi;
    uwsgi_temp_path {root}/temp/uwsgi; scgi_temp_path {root}/temp/scgi;
    include {root}/nginx.d/*.conf;
}}
"""
SETTINGS = """\
home = "{root}/home"
etc = "{root}/etc"
run = "{root}/run"
log = "{root}/log"
cache = "{root}/cache"
crm_root = "{root}/crm"
panel_listen = "127.0.0.1:23570"
monitor_listen = "127.0.0.1:23571"
crm_port_base = 23580
database_port_base = 23600
deployment_port_base = 23800
nginx_configuration = "{root}/nginx.conf"
nginx_directory = "{root}/nginx.d"
service_manager = "supervisord"
settling_seconds = 1
"""


@dataclass(frozen=True, kw_only=True)
class House:
    """A running appliance with one instance at most."""

    appliance: Appliance
    instance_name: str

    @property
    def instance(self) -> Instance:
        """The instance as it is now."""
        return self.appliance.store.instances.get(self.instance_name)

    def carry_out(self, kind: str, parameters: Mapping[str, Any], say: Say) -> Operation:
        """Request an operation and wait for its success. Raises MeasureFailed."""
        try:
            requested = request(self.appliance, kind, self.instance_name, parameters, requested_by=ACTOR, now=datetime.now(UTC))
        except ApplianceError as refusal:
            raise MeasureFailed(f"The appliance refused to {kind}: {refusal}") from refusal
        ended = self.await_end(requested.id, seconds=LONGEST_SECONDS)
        if ended.status != OperationStatus.SUCCEEDED:
            raise MeasureFailed(f"{kind} ended as {ended.status.value}: {ended.cause}")
        say(f"{kind}: {seconds_by_step(ended)}")
        return ended

    def await_end(self, operation_id: int, *, seconds: float) -> Operation:
        """The operation once it has ended, or as it stands when the patience is over."""
        deadline = time.monotonic() + seconds
        while True:
            operation = self.appliance.store.operations.get(operation_id)
            if operation.status not in (OperationStatus.QUEUED, OperationStatus.RUNNING) or time.monotonic() > deadline:
                return operation
            time.sleep(POLL_SECONDS)

    def end_operation(self) -> None:
        """Cancel what is under way and wait until it has been taken back."""
        held = self.appliance.store.operations.unfinished(self.instance_name)
        if held is not None:
            with suppress(Conflict):  # it ended by itself meanwhile
                cancel(self.appliance, held.id, requested_by=ACTOR, now=datetime.now(UTC))
            self.await_end(held.id, seconds=CANCEL_SECONDS)

    def remove_instance(self) -> None:
        """Leave nothing of the instance on the machine, whatever state it is in."""
        instance, settings = self.appliance.store.instances.find(self.instance_name), self.appliance.settings
        if instance is None:
            return
        layout = layout_on(self.appliance, instance.host)
        told = {"host": host_variables(layout), "crm": crm_variables(layout, instance)}
        directory = settings.home / "operations" / "benchmarks-remove"
        run_playbook(
            Local(), "instance_remove", told, directory=directory, ident="remove", on_line=lambda _: None, is_cancelled=lambda: False
        )


def seconds_by_step(operation: Operation) -> str:
    """How long each step of an operation took, for the person at the terminal."""
    return ", ".join(f"{step.name} {_seconds(step.started_at, step.finished_at):.1f} s" for step in operation.steps)


@contextmanager
def own_appliance(instance_name: str, say: Say) -> Iterator[House]:
    """Start an appliance with no CRM; with the block it ends, and the instance and every file of it are gone.

    Raises MeasureFailed when the machine has a user of that instance already, which is then left alone.
    """
    _refuse_taken(instance_name)
    root = Path(tempfile.mkdtemp(prefix="appliance-benchmark-", dir=PLACE))
    try:
        settings = _prepare(root)
        house = House(appliance=open_appliance(settings), instance_name=instance_name)
        try:
            environment = os.environ | {"APPLIANCE_CONFIG": str(root / "appliance.toml")}
            processes.start(settings, environment, Path(sys.executable).parent)
            yield house
        finally:
            _take_down(house, say)
    except ApplianceError as failure:
        raise MeasureFailed(f"The appliance of the benchmark: {failure}") from failure
    finally:
        shutil.rmtree(root)


def _refuse_taken(instance_name: str) -> None:
    with suppress(KeyError):
        pwd.getpwnam(f"crm-{instance_name}")
        raise MeasureFailed(
            f"This machine has a user crm-{instance_name}, so an instance {instance_name} may live here; nothing was changed. "
            "Measure on another machine, or remove that instance."
        )


def _prepare(root: Path) -> Settings:
    root.chmod(0o755)
    for name in ("home", "etc", "run", "log", "cache", "crm", "nginx.d", "temp"):
        (root / name).mkdir()
    (root / "nginx.conf").write_text(NGINX.format(root=root))
    file = root / "appliance.toml"
    file.write_text(SETTINGS.format(root=root))
    return Settings.model_validate(tomllib.loads(file.read_text()))


def _take_down(house: House, say: Say) -> None:
    """Undisturbed by a second Ctrl-C: half a removal would leave processes and a database cluster behind."""
    say("taking everything down again")
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        house.end_operation()
        house.remove_instance()
    finally:
        processes.stop(house.appliance.settings)
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(begun_at: datetime | None, ended_at: datetime | None) -> float:
    return (ended_at - begun_at).total_seconds() if begun_at and ended_at else 0.0
