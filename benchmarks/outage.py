"""How long visitors are turned away: a page asked for every 50 ms through nginx while something goes on."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figure import MeasureFailed

INTERVAL_SECONDS = 0.05
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One request, in seconds of a monotonic clock."""

    asked_at: float
    answered_at: float
    is_good: bool


def outage_seconds(samples: Sequence[Sample]) -> float:
    """From the first request that was turned away to the first good answer after the last such; what was good between counts as outage.

    Raises MeasureFailed when there was no outage or no end of it: then something else than an outage was watched.
    """
    bad = [index for index, sample in enumerate(samples) if not sample.is_good]
    if not bad:
        raise MeasureFailed("No request was turned away, so there was no outage to measure.")
    if bad[-1] == len(samples) - 1:
        raise MeasureFailed("Requests were still turned away at the end.")
    return samples[bad[-1] + 1].answered_at - samples[bad[0]].asked_at


@contextmanager
def watched(address: str, port: int, path: str) -> Iterator[list[Sample]]:
    """Ask while the block runs; the list it gives is complete when the block has ended, with a last sample taken after the end."""
    samples: list[Sample] = []
    stop = threading.Event()

    def watch() -> None:
        is_last = False
        while not is_last:
            is_last = stop.is_set()
            sample = _ask(address, port, path)
            samples.append(sample)
            if not is_last:
                stop.wait(max(0.0, sample.asked_at + INTERVAL_SECONDS - time.monotonic()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def is_answered(address: str, port: int, path: str) -> bool:
    """Whether a page answers with 200 now."""
    return _ask(address, port, path).is_good


def _ask(address: str, port: int, path: str) -> Sample:
    asked_at = time.monotonic()
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        is_good = answer.status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        is_good = False
    finally:
        connection.close()
    return Sample(asked_at=asked_at, answered_at=time.monotonic(), is_good=is_good)
