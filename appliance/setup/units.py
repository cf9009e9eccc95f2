"""systemd, where it is PID 1: units that are written, enabled, and restarted only when their text changed."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import StepFailed
from appliance.setup.files import write_if_changed


@dataclass(frozen=True, kw_only=True)
class Systemd:
    """The systemd of this machine."""

    directory: Path = Path("/etc/systemd/system")
    _changed: set[str] = field(default_factory=set, init=False)

    def define(self, name: str, text: str) -> None:
        """Write the unit `name`; nothing is started by that."""
        if write_if_changed(self.directory / f"{name}.service", text, mode=0o644):
            self._changed.add(name)

    def apply(self, names: Iterable[str]) -> list[str]:
        """Start with the machine and now what does not run, restart what changed; returns what was started. Raises StepFailed."""
        if self._changed:
            _systemctl("daemon-reload")
        started = [name for name in names if name in self._changed or self.state(name) != "active"]
        for name in names:
            _systemctl("enable", "--quiet", f"{name}.service")
        for name in started:
            _systemctl("restart", f"{name}.service")
        self._changed.clear()
        return started

    def state(self, name: str) -> str:
        """The unit's state in systemd's words (active, failed, inactive …)."""
        argv = ["systemctl", "show", "--property=ActiveState", "--value", f"{name}.service"]
        return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()

    def last_lines(self, name: str, count: int) -> list[str]:
        """What a unit said last, from the journal."""
        argv = ["journalctl", "--no-pager", "--output=cat", f"--lines={count}", f"--unit={name}.service"]
        asked = subprocess.run(argv, capture_output=True, text=True, check=False)
        return (asked.stdout or asked.stderr).splitlines()


def _systemctl(*arguments: str) -> None:
    ended = subprocess.run(["systemctl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise StepFailed(f"systemctl {' '.join(arguments)} failed: {ended.stderr.strip()}")
