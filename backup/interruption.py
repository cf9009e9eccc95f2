"""Turn signals into exceptions, once, so that a run unwinds and ends its programs wherever it is."""

import os
import select
import signal
import stat
import threading
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


def stop_when_unheard(output: int) -> None:
    """Cancel this run as soon as whoever reads its output through a pipe is gone.

    A caller that was killed starts the work anew; it must not find this run still holding the repository or the
    target database. Writing would notice too, but a long restore may have nothing to say.
    """
    if stat.S_ISFIFO(os.fstat(output).st_mode):
        threading.Thread(target=_wait_until_unheard, args=(output,), daemon=True).start()


def _wait_until_unheard(output: int) -> None:
    poll = select.poll()
    poll.register(output, 0)  # only POLLERR, which comes when the last reader has closed
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def finishing() -> Iterator[None]:
    """Let the block end whatever comes: a cancel that arrives in it comes too late, for it decides what is reported.

    The handlers do nothing rather than ignore, because ignoring would be inherited by the programs that are started.
    """
    numbers = (*STOP_SIGNALS, signal.SIGALRM)
    before = {number: signal.signal(number, _do_nothing) for number in numbers}
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    return


def _ignore_further() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number in (*STOP_SIGNALS, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
