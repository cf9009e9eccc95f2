"""supervisord, where no systemd runs: started once, spoken to over its socket, and told only of what changed."""

import http.client
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from appliance.config import Settings, program
from appliance.errors import StepFailed
from appliance.setup.definitions import supervisord_text
from appliance.setup.environment import SYSTEM_PATH
from appliance.setup.files import write_if_changed
from appliance.setup.orphans import end_orphans, note_session

START_SECONDS = 15
POLL_SECONDS = 0.1
NO_ANSWER = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True, kw_only=True)
class Supervisord:
    """The supervisord of one appliance."""

    settings: Settings

    def define(self, name: str, text: str) -> None:
        """Write the program `name`; nothing is started by that."""
        write_if_changed(self.settings.supervisor_directory / f"{name}.conf", text, mode=0o600)

    def apply(self, names: Iterable[str]) -> list[str]:
        """Start supervisord and the programs that do not run, restart those whose text changed; returns what was started."""
        if not self.is_alive():
            self._start()
            return list(names)
        added, changed, _ = self._call("reloadConfig")[0]
        return [name for name in names if self._apply_one(name, is_added=name in added, is_changed=name in changed)]

    def state(self, name: str) -> str:
        """The state of a program in supervisord's words (RUNNING, BACKOFF, FATAL …); ABSENT when it knows none of that name."""
        if not self.is_alive():
            return "ABSENT"
        try:
            return str(self._call("getProcessInfo", name)["statename"])
        except xmlrpc.client.Fault:
            return "ABSENT"

    def is_alive(self) -> bool:
        """Whether it answers; a socket file that a power cut left behind does not."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except NO_ANSWER:
            return False

    def shut_down(self) -> None:
        """End supervisord and everything under it; returns when it answers no more."""
        if self.is_alive():
            self._call("shutdown")
        _wait_until(lambda: not self.settings.supervisor_socket.exists(), seconds=60)

    def last_lines(self, name: str, count: int) -> list[str]:
        """What a program said last."""
        log = self.settings.log / f"{name}.log"
        return log.read_text(errors="replace").splitlines()[-count:] if log.is_file() else [f"(no log at {log})"]

    def _apply_one(self, name: str, *, is_added: bool, is_changed: bool) -> bool:
        if is_changed:
            self._call("stopProcessGroup", name, True)
            self._call("removeProcessGroup", name)
        if is_added or is_changed:
            self._call("addProcessGroup", name)
            return True
        if self.state(name) in {"RUNNING", "STARTING", "BACKOFF"}:
            return False
        self._call("startProcess", name, False)
        return True

    def _start(self) -> None:
        settings = self.settings
        for directory in (settings.log, settings.home / "run", settings.supervisor_directory):
            directory.mkdir(parents=True, exist_ok=True)
        write_if_changed(settings.supervisor_configuration, supervisord_text(settings), mode=0o600)
        session = settings.home / "run" / "supervisord.session"
        end_orphans(session)
        argv = [program("supervisord"), "-c", str(settings.supervisor_configuration)]
        clean = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}
        ended = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", env=clean, start_new_session=True, check=False
        )
        if ended.returncode or not _wait_until(self.is_alive, seconds=START_SECONDS):
            raise StepFailed(
                f"supervisord did not start: {ended.stderr.strip() or f'it does not answer; see {settings.log}/supervisord.log'}"
            )
        note_session(session, int(self._call("getPID")))

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.settings.supervisor_socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)


def _wait_until(condition: Any, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL_SECONDS)
    return bool(condition())
