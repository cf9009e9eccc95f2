"""The programs that ship a log to repositories elsewhere, each by itself, so that none waits for another."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from subprocess import Popen
from types import TracebackType
from typing import Self

from backup.children import bytes_as_file, started
from backup.events import Reporter
from backup.spec_log import RelaySpec


class Relays:
    """Keeps one running for each repository, for the length of a block."""

    def __init__(self, specs: Sequence[RelaySpec]) -> None:
        """None runs yet."""
        self._specs = specs
        self._running: dict[str, tuple[Popen[bytes], ExitStack]] = {}

    def __enter__(self) -> Self:
        """They are started when they are seen to."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End them."""
        for _, held in self._running.values():
            held.close()

    def see_to(self, reporter: Reporter) -> None:
        """Start those that do not run."""
        for spec in self._specs:
            process, held = self._running.get(spec.name, (None, None))
            if process is not None and process.poll() is None:
                continue
            if held is not None and process is not None:
                reporter.log(f"What ships the log to {spec.name} has ended with code {process.returncode}, and is started again.")
                held.close()
            self._running[spec.name] = _started(spec)


def _started(spec: RelaySpec) -> tuple[Popen[bytes], ExitStack]:
    held = ExitStack()
    told = held.enter_context(bytes_as_file(spec.model_dump_json().encode()))
    argv = [sys.executable, "-m", "backup", "relay"]
    process = held.enter_context(started(argv, stdin=told, stdout=sys.stdout.fileno(), stderr=sys.stderr.fileno()))
    return process, held
