"""What viewers of one log share: they stand at the same line, so the store is asked for all of them at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio
from fastapi.concurrency import run_in_threadpool

from appliance.domain.operation import Operation
from appliance.store import Store
from appliance.store.logs import LogLine

BATCH_LINES = 500
FRESH_SECONDS = 0.1
MOST_PLACES = 256


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An operation, and the lines after a place that were there when it was so, or later."""

    operation: Operation
    lines: Sequence[LogLine]
    at: float


@dataclass(kw_only=True)
class Tails:
    """The ends of the logs that somebody reads. Used by one event loop."""

    store: Store
    monotonic: Callable[[], float] = time.monotonic
    _seen: dict[tuple[int, int], Seen] = field(default_factory=dict)
    _reading: dict[tuple[int, int], anyio.Event] = field(default_factory=dict)

    async def read(self, operation_id: int, *, after: int) -> Seen:
        """What is logged after that line. Who asks while another one does, or just after, gets the same answer. Raises NotFound."""
        place = (operation_id, after)
        while (reading := self._reading.get(place)) is not None:
            await reading.wait()
        known = self._seen.get(place)
        if known is not None and self.monotonic() - known.at < FRESH_SECONDS:
            return known
        self._reading[place] = anyio.Event()
        try:
            self._seen[place] = found = await run_in_threadpool(self._read, operation_id, after)
            return found
        finally:
            self._reading.pop(place).set()
            self._forget_old()

    def forget(self) -> None:
        """Whoever asks next gets what is in the store then."""
        self._seen.clear()

    def _read(self, operation_id: int, after: int) -> Seen:
        operation = self.store.operations.get(operation_id)
        # Lines are read after the state: a final state is thus never told before its last line.
        lines = self.store.logs.lines(operation_id, after=after, limit=BATCH_LINES)
        return Seen(operation=operation, lines=lines, at=self.monotonic())

    def _forget_old(self) -> None:
        while len(self._seen) > MOST_PLACES:
            del self._seen[next(iter(self._seen))]
        oldest = self.monotonic() - FRESH_SECONDS
        for place in [place for place, seen in self._seen.items() if seen.at < oldest]:
            del self._seen[place]
