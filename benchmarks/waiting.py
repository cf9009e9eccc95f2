"""Wait for something to become true, for a limited time."""

import time
from collections.abc import Callable

from benchmarks.figure import MeasureFailed

POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, pause_seconds: float = POLL_SECONDS) -> None:
    """Poll until it is true. Raises MeasureFailed that names `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise MeasureFailed(f"Waited {seconds:g} s in vain for {what}.")
        time.sleep(pause_seconds)
