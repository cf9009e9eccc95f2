"""Keep panel, worker and monitor running on this machine, under systemd or supervisord.

nginx and the CRMs' own processes are told to the same service manager by the playbooks.
"""

import http.client
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.config import Settings
from appliance.errors import StepFailed
from appliance.setup import definitions
from appliance.setup.environment import write_environment
from appliance.setup.supervision import Supervisord
from appliance.setup.units import Systemd

READY_SECONDS = 40
POLL_SECONDS = 0.2
SHOWN_LOG_LINES = 10
UP = frozenset({"RUNNING", "active"})
GIVEN_UP = frozenset({"FATAL", "failed"})


@dataclass(frozen=True, kw_only=True)
class Status:
    """A process and its state in its service manager's words."""

    name: str
    state: str

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.state in UP


def service_manager(settings: Settings) -> Supervisord | Systemd:
    """What keeps the processes alive on this machine."""
    return Systemd() if settings.manager == "systemd" else Supervisord(settings=settings)


def start(settings: Settings, environment: Mapping[str, str], bin_directory: Path, *, patience_seconds: float = READY_SECONDS) -> list[str]:
    """Bring every process into its defined state; returns the names of those that were started or restarted. Raises StepFailed."""
    write_environment(settings, environment, bin_directory)
    manager = service_manager(settings)
    for process in definitions.PROCESSES:
        text = definitions.unit_text if isinstance(manager, Systemd) else definitions.program_text
        manager.define(process.name, text(settings, process, bin_directory))
    started = manager.apply([process.name for process in definitions.PROCESSES])
    await_ready(settings, manager, patience_seconds)
    return started


def stop(settings: Settings) -> None:
    """End the supervisord of this appliance with all that it runs; under systemd nothing is to be stopped by the appliance itself."""
    manager = service_manager(settings)
    if isinstance(manager, Supervisord):
        manager.shut_down()


def status(settings: Settings) -> list[Status]:
    """How each process is."""
    manager = service_manager(settings)
    return [Status(name=process.name, state=manager.state(process.name)) for process in definitions.PROCESSES]


def await_ready(settings: Settings, manager: Supervisord | Systemd, patience_seconds: float) -> None:
    """Wait until all run and panel and monitor answer; raises StepFailed with the last lines of the log of the one that does not."""
    answers = {
        definitions.PANEL.name: lambda: _answers(settings.panel_listen, "/healthz"),
        definitions.MONITOR.name: lambda: _answers(settings.monitor_listen, "/metrics"),
    }
    deadline = time.monotonic() + patience_seconds
    for current in status(settings):
        _await_one(current.name, manager, answers.get(current.name, lambda: True), deadline)


def _await_one(name: str, manager: Supervisord | Systemd, is_answering: Callable[[], bool], deadline: float) -> None:
    while True:
        state = manager.state(name)
        if state in UP and is_answering():
            return
        if state in GIVEN_UP or time.monotonic() > deadline:
            said = "\n".join(f"    {line}" for line in manager.last_lines(name, SHOWN_LOG_LINES))
            raise StepFailed(f"{name} does not run (it is {state}). Its last lines:\n{said}")
        time.sleep(POLL_SECONDS)


def _answers(listen: str, path: str) -> bool:
    address, _, port = listen.rpartition(":")
    host = "127.0.0.1" if address in {"", "0.0.0.0"} else address.strip("[]")  # noqa: S104 (any address includes this one)
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
