"""A REST server for restic's repositories, on another machine as far as anybody can tell: things can be added there, nothing removed."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.house import wait_for

USER, PASSWORD = "crm", "a password for adding"
REMOVER, REMOVING = "keeper", "a password for removing"


@contextmanager
def append_only_server(directory: Path, *, port: int | None = None) -> Iterator[int]:
    """Serve a directory for the length of a block; gives the port."""
    with _served(directory, port or free_port(), USER, PASSWORD, "--append-only") as chosen:
        yield chosen


@contextmanager
def removing_server(directory: Path, *, port: int | None = None) -> Iterator[int]:
    """The same with another door, which only who has another password gets through: there can be removed."""
    with _served(directory, port or free_port(), REMOVER, REMOVING) as chosen:
        yield chosen


@contextmanager
def _served(directory: Path, chosen: int, user: str, password: str, *more: str) -> Iterator[int]:
    served = ["rclone", "serve", "restic", str(directory), "--addr", f"127.0.0.1:{chosen}", "--cache-objects=false", *more]
    server = subprocess.Popen(
        [*served, "--user", user, "--pass", password, "--config", "/nonexistent/rclone.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(chosen))
        yield chosen
    finally:
        server.terminate()
        server.wait(20)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
