"""Stop and start panel, worker and monitor, and wait until they can do their work."""

import http.client
import socket
import subprocess
import time
from pathlib import Path

from appliance.config import Settings
from appliance.errors import StepFailed
from appliance.production.places import Places
from appliance.production.units import PANEL_SOCKET_UNIT
from appliance.setup.definitions import MONITOR, PANEL, PROCESSES
from appliance.setup.units import Systemd

READY_SECONDS = 60.0
POLL_SECONDS = 0.2
MOST_RESTARTS = 2
SHOWN_LINES = 12
UNITS = [PANEL_SOCKET_UNIT, *(f"{process.name}.service" for process in PROCESSES)]
STEADY_SECONDS = 3.0
"""Ready, and still so after this long: what falls over at its first work is not ready."""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the panel's socket."""

    def __init__(self, file: Path) -> None:
        super().__init__("localhost", timeout=5)
        self.file = file

    def connect(self) -> None:
        """To the socket instead of an address."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.file))


def stop() -> None:
    """End them; what the worker has started goes on. The socket first, or a visitor would start the panel again. Raises StepFailed."""
    systemctl("stop", *UNITS)


def start() -> None:
    """Start them anew. Raises StepFailed."""
    names = [f"{process.name}.service" for process in PROCESSES]
    subprocess.run(["systemctl", "reset-failed", *UNITS], capture_output=True, check=False)
    systemctl("start", PANEL_SOCKET_UNIT)
    systemctl("restart", *names)


def await_ready(settings: Settings, places: Places, release: Path, *, patience_seconds: float = READY_SECONDS) -> None:
    """Wait until all three run from `release`, are ready, and stay so for a moment. Raises StepFailed with what they said last."""
    deadline, since = time.monotonic() + patience_seconds, None
    while True:
        problem = _problem(settings, places, release)
        since = since or time.monotonic() if problem is None else None
        if since is not None and time.monotonic() - since >= STEADY_SECONDS:
            return
        gave_up = next((process.name for process in PROCESSES if _restarts(process.name) > MOST_RESTARTS), None)
        if problem is not None and (gave_up or time.monotonic() > deadline):
            name = gave_up or problem[0]
            said = "\n".join(f"    {line}" for line in Systemd().last_lines(name, SHOWN_LINES))
            raise StepFailed(f"{name} does not become ready ({problem[1]}). Its last lines:\n{said}")
        time.sleep(POLL_SECONDS)


def _problem(settings: Settings, places: Places, release: Path) -> tuple[str, str] | None:
    """The first process that is not as it should be, and what is wrong with it."""
    for process in PROCESSES:
        state = Systemd().state(process.name)
        if state != "active":
            return process.name, f"it is {state}"
        if not _runs_from(process.name, release):
            return process.name, "another release runs"
    if (status := _status(UnixConnection(places.socket), "/readyz")) != http.HTTPStatus.OK:
        return PANEL.name, f"it answers {status}"
    address, _, port = settings.monitor_listen.rpartition(":")
    if (status := _status(http.client.HTTPConnection(address.strip("[]"), int(port), timeout=5), "/metrics")) != http.HTTPStatus.OK:
        return MONITOR.name, f"it answers {status}"
    return None


def _status(connection: http.client.HTTPConnection, path: str) -> int | str:
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"nothing ({error})"
    finally:
        connection.close()


def _runs_from(name: str, release: Path) -> bool:
    try:
        return f"{release}/bin/".encode() in Path(f"/proc/{shown(name, 'MainPID')}/cmdline").read_bytes()
    except OSError:
        return False


def _restarts(name: str) -> int:
    return int(shown(name, "NRestarts") or 0)


def shown(name: str, key: str) -> str:
    """A property of a unit."""
    argv = ["systemctl", "show", f"--property={key}", "--value", f"{name}.service"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def systemctl(*arguments: str) -> None:
    """Tell systemd. Raises StepFailed."""
    ended = subprocess.run(["systemctl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise StepFailed(f"systemctl {' '.join(arguments)} failed: {ended.stderr.strip()}")


def systemd_state(unit: str) -> str:
    """A unit's state in systemd's words."""
    argv = ["systemctl", "show", "--property=ActiveState", "--value", unit]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
