"""Start programs so that none outlives its run: each in a session of its own, killed as a group, tied to our life.

Cancelling and deadlines reach here as exceptions raised by signal handlers (see `backup.interruption`).
"""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO

GRACE_SECONDS = 10
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR")
CHUNK_BYTES = 1024 * 1024
_running: set["subprocess.Popen[bytes]"] = set()
"""Programs of this run, whichever thread has started them."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended, and what it said that was worth keeping."""

    code: int
    stdout: str
    stderr: str


def private_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Give children a plain environment: no RESTIC_* or PG* variable of the caller may change what they do."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, **more, "LC_ALL": "C.UTF-8", "RESTIC_PROGRESS_FPS": "2"}


@contextmanager
def started(
    argv: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    inherited: Sequence[int] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for the length of the block; on leaving, whatever is left of its process group is ended.

    setpriv ties it to this process: should we be killed with SIGKILL, the kernel sends it SIGTERM.
    """
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *argv],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=private_environment(environment),
        start_new_session=True,
        pass_fds=tuple(inherited),
    )
    _running.add(process)
    try:
        yield process
    finally:
        end(process)
        _running.discard(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # what was still buffered for a program that is gone
        pipe.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process group to stop, then make it."""
    if process.poll() is not None:
        return
    _signal_group(process.pid, signal.SIGTERM)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


def end_all() -> None:
    """Do so with every program that runs."""
    for process in list(_running):
        end(process)


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


@contextmanager
def bytes_as_file(content: bytes) -> Iterator[IO[bytes]]:
    """Hold bytes in memory as a file that a program can read as its standard input."""
    with os.fdopen(os.memfd_create("stdin"), "w+b") as file:
        file.write(content)
        file.seek(0)
        yield file


def text_of(said: IO[bytes]) -> str:
    """Read what a program has said into such a file."""
    said.seek(0)
    return said.read().decode(errors="replace").strip()


def run(
    argv: Sequence[str],
    *,
    keep: Callable[[str], bool],
    hear: Callable[[str], None] = lambda _: None,
    stdin: bytes = b"",
    inherited: Sequence[int] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Ended:
    """Run a program to its end, handing each line of its output to `keep` as it comes; only lines it wants are kept.

    Each line of its errors is handed to `hear`; what that raises ends the program.
    """
    kept: list[str] = []
    errors: list[str] = []
    with bytes_as_file(stdin) as source, started(argv, stdin=source, inherited=inherited, environment=environment) as process:
        for is_error, line in _lines(process):
            if is_error:
                errors.append(line)
                hear(line)
            elif keep(line):
                kept.append(line)
        process.wait()
    return Ended(code=process.returncode, stdout="\n".join(kept), stderr="\n".join(errors))


def _lines(process: subprocess.Popen[bytes]) -> Iterator[tuple[bool, str]]:
    """Give the lines of both outputs as they come, and whether each was an error's."""
    pending = {process.stdout: b"", process.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for pipe in pending:
            assert pipe is not None  # noqa: S101 - both were asked for as pipes
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                pipe = process.stdout if key.fileobj is process.stdout else process.stderr
                chunk = os.read(key.fd, CHUNK_BYTES)
                *lines, pending[pipe] = (pending[pipe] + chunk).split(b"\n")
                if not chunk:
                    selector.unregister(key.fileobj)
                    lines = [pending.pop(pipe)]
                yield from ((pipe is process.stderr, line.decode(errors="replace")) for line in lines if line)
