"""Ship what a receiver brings, again and again at a steady pace, for as long as it runs."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from subprocess import Popen, TimeoutExpired

from backup.events import Reporter
from backup.failures import BackupFailure
from backup.repository import Saved

PATIENCE_SECONDS = 5.0
"""How long what the server has written already is waited for, before it is shipped."""


def ship_while(
    receiver: Popen[bytes],
    ship: Callable[[], Saved | None],
    *,
    every_seconds: float,
    reporter: Reporter,
    hopeless: Collection[str] = (),
    each_time: Callable[[], None] = lambda: None,
) -> None:
    """Go on until the receiver has ended. What could not be shipped is told and tried again; a failure that is `hopeless` is raised."""
    began_seconds = time.monotonic()
    while receiver.poll() is None:
        each_time()
        with suppress(TimeoutExpired):
            receiver.wait(max(0.0, began_seconds + every_seconds - time.monotonic()))
        began_seconds = time.monotonic()
        try:
            saved = ship()
        except BackupFailure as failure:
            if failure.code in hopeless:
                raise
            reporter.log(f"The log could not be shipped, and will be tried again: {failure}")
            continue
        if saved:
            reporter.finish("shipped", {"snapshot": saved.snapshot_id, "bytes_added": saved.data_added_packed})
