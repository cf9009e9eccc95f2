"""Which requests with a key are being answered now: known to this process alone, and gone with it as the requests are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from appliance.domain.request_key import RequestKey
from appliance.errors import Conflict
from appliance.store.request_keys import BUSY


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """The callers and keys."""

    lock: Lock = field(default_factory=Lock)
    keys: set[tuple[str, str]] = field(default_factory=set)

    @contextmanager
    def alone(self, asked: RequestKey) -> Iterator[None]:
        """Be the only request of this key. Raises Conflict."""
        name = (asked.caller, asked.key)
        with self.lock:
            if name in self.keys:
                raise Conflict(BUSY)
            self.keys.add(name)
        try:
            yield
        finally:
            with self.lock:
                self.keys.discard(name)
