"""Wait for something to become true, and say what it was when it does not."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.01


class TookTooLong(Exception):
    """Something did not become true in its time."""


def wait_until(is_so: Callable[[], bool], what: str, *, patience_seconds: float = 30) -> None:
    """Ask every few milliseconds; raises TookTooLong, which names `what`."""
    latest = time.monotonic() + patience_seconds
    while not is_so():
        if time.monotonic() > latest:
            raise TookTooLong(f"Waited {patience_seconds:.0f} s in vain: {what}.")
        time.sleep(POLL_SECONDS)
