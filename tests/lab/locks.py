"""Locks that end with the process that holds them, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.lab import places


@dataclass(frozen=True, kw_only=True)
class Held:
    """A lock that is held until it is let go of."""

    file: TextIO

    def let_go(self) -> None:
        """Give it back."""
        self.file.close()


def take(path: Path, *, shared: bool = False, wait: bool = False) -> Held | None:
    """Take a lock; None when another holds it and `wait` is not asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        return None
    return Held(file=file)


@contextmanager
def guard() -> Iterator[None]:
    """Alone among all runs of the lab on this machine, for as long as something that they share is changed."""
    held = take(places.STATE / "lock", wait=True)
    assert held is not None
    try:
        yield
    finally:
        held.let_go()
