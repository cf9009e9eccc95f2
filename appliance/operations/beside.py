"""What runs beside the monitor, in a thread of its own: it looks again and again, whatever goes wrong."""

import sys
from collections.abc import Callable
from threading import Event


def look_again_and_again(look: Callable[[], None], stop: Event, *, every_seconds: float, failing: str) -> None:
    """Until the event is set. What goes wrong is said on standard error, after what is `failing`, and tried again."""
    while not stop.wait(every_seconds):
        try:
            look()
        except Exception as error:  # noqa: BLE001 - if the loop ended, alerts would be about the past and nobody would be told
            print(f"{failing} ({type(error).__name__}: {error}); tried again.", file=sys.stderr)
