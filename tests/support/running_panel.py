"""The panel as a process of its own, over a store that the tests can write to as the worker would."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

from appliance.config import Settings
from appliance.wiring import Appliance

PATIENCE_SECONDS = 60
PORTS = range(21000, 29000)
"""Below those that the system gives to outgoing connections, one of which could take the port of a panel that is started again."""


@dataclass(kw_only=True)
class RunningPanel:
    """The panel as `appliance serve` runs it."""

    settings: Settings
    url: str
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        given = {f"APPLIANCE_{name.upper()}": str(value) for name, value in self.settings.model_dump().items()}
        environment = {**os.environ, **given, "APPLIANCE_CONFIG": "/nonexistent"}
        program = [sys.executable, "-c", "from appliance.cli import main; main()", "serve"]
        self.process = subprocess.Popen(program, env=environment)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, "the panel ended"
            assert time.monotonic() < deadline, "the panel does not answer"
            time.sleep(0.05)

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """End it without grace, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as answer:  # noqa: S310 - an address of ours
                return bool(answer.status == 200)
        except OSError:
            return False


def free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def running_panel(appliance: Appliance) -> RunningPanel:
    """The panel of an appliance, not started yet, on a port of its own."""
    listen = f"127.0.0.1:{free_port()}"
    return RunningPanel(settings=appliance.settings.model_copy(update={"panel_listen": listen}), url=f"http://{listen}")
