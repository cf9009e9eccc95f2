"""Do several things at a time in one run: one here, each other in a thread."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread

from backup.children import GRACE_SECONDS, end_all

PAUSE_SECONDS = 0.05
LONGEST_END_SECONDS = 2 * GRACE_SECONDS


@contextmanager
def beside(*works: Callable[[], None]) -> Iterator[None]:
    """Carry works out, beside the block, each other, and after the block, to their ends. Raises what the first of them raises.

    Where the block fails or the run is cancelled, which reaches only the block, their programs are ended, and they begin no others.
    """
    begun = [_begun(work) for work in works]
    try:
        yield
        for thread, _ in begun:
            thread.join()
    except BaseException:
        _end([thread for thread, _ in begun])
        raise
    for _, done in begun:
        done.result()


def _begun(work: Callable[[], None]) -> tuple[Thread, Future[None]]:
    done: Future[None] = Future()
    thread = Thread(target=_carry_out, args=(work, done), daemon=True)  # what it may wait for shall not hold up an end of the run
    thread.start()
    return thread, done


def _end(threads: Sequence[Thread]) -> None:
    deadline = time.monotonic() + LONGEST_END_SECONDS
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        end_all()
        time.sleep(PAUSE_SECONDS)


def _carry_out(work: Callable[[], None], done: Future[None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - raised where the end is awaited
        done.set_exception(error)
    else:
        done.set_result(None)
