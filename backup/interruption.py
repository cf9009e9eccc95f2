"""Turn signals into exceptions, once, so that a run unwinds and ends its programs wherever it is."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from backup.failures import BackupFailure, Cancelled

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def interruptible(*, deadline_seconds: float) -> Iterator[None]:
    """Raise `Cancelled` on SIGTERM, SIGINT or SIGHUP and a failure `deadline` when the seconds have passed.

    The first signal wins: the ones after it are ignored, because they would break the cleaning up.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        _ignore_further()
        if number == signal.SIGALRM:
            raise BackupFailure(f"The run was stopped at its deadline of {deadline_seconds:g} seconds.", code="deadline")
        raise Cancelled("The run was cancelled.")

    for number in (*STOP_SIGNALS, signal.SIGALRM):
        signal.signal(number, stop)
    signal.setitimer(signal.ITIMER_REAL, deadline_seconds)
    try:
        yield
    finally:
        _ignore_further()


def _ignore_further() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (*STOP_SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
