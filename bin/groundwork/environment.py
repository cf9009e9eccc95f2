"""A virtual environment with exactly the locked packages, made by the machine's own Python."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from groundwork.progress import Progress, StepFailed
from groundwork.registries import read_pip_settings, uv_environment

NEXT_ACTION = "Check that pip reaches its package index (`pip config list` shows its settings), then run the command again."


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The virtual environment at `directory`; `variables` are those that its installer runs with."""

    directory: Path
    variables: dict[str, str]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.directory / "bin" / "python"

    @property
    def uv(self) -> Path:
        """Its installer."""
        return self.directory / "bin" / "uv"

    @property
    def record(self) -> Path:
        """The file that says what was installed last."""
        return self.directory / "installed.sha256"

    @cached_property
    def installer_variables(self) -> dict[str, str]:
        """The variables that uv and npm need on this machine."""
        return uv_environment(read_pip_settings(self.python), self.variables)

    def create(self, progress: Progress, lock: Path) -> None:
        """Make the environment, or keep it when it works, and install uv from `lock` with pip; raises StepFailed."""
        self.record.unlink(missing_ok=True)
        if not self._works():
            progress.run([sys.executable, "-m", "venv", "--clear", str(self.directory)], next_action=NEXT_ACTION)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
            requirement.write(locked_requirement(lock.read_text(), "uv"))
            requirement.flush()
            argv = [str(self.python), "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", requirement.name]
            progress.run(argv, environment=self.variables, next_action=NEXT_ACTION)

    def install(self, progress: Progress, lock: Path) -> None:
        """Install every package of `lock`, checked against its digests; raises StepFailed."""
        self.pip_install(progress, "--require-hashes", "-r", str(lock))

    def pip_install(self, progress: Progress, *arguments: str) -> None:
        """Run `uv pip install` in this environment; raises StepFailed."""
        argv = [str(self.uv), "pip", "install", "--python", str(self.python), *arguments]
        progress.run(argv, environment=self.installer_variables, next_action=NEXT_ACTION)

    def _works(self) -> bool:
        """Whether it is there and made by the Python that runs now (an upgraded Debian brings another)."""
        if not self.python.exists():
            return False
        asked = [str(self.python), "-c", "import pip, sys; print(sys.version)"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == sys.version


def locked_requirement(lock: str, name: str) -> str:
    """Return the entry of package `name` in the text of a lock, with its digests; raises StepFailed where it has none."""
    lines = lock.splitlines()
    for number, line in enumerate(lines):
        if line.startswith(f"{name}=="):
            entry = [line]
            while entry[-1].endswith("\\"):
                entry.append(lines[number + len(entry)])
            return "\n".join(entry) + "\n"
    raise StepFailed(f"The lock names no {name}.", next_action="Run this from an unchanged clone.")
