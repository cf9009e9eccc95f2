"""The lock that the one worker holds for exactly as long as it lives."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from appliance.errors import Conflict


@contextmanager
def hold(file: Path) -> Iterator[IO[str]]:
    """Be the one worker. Raises Conflict when there is another; a forked child closes what it is given, or it would hold on too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("A worker is at work already. Nothing was changed.") from None
        yield lock


def is_held(file: Path) -> bool:
    """Whether a worker lives."""
    try:
        with file.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
