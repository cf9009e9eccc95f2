"""Delivers the messages of the webhooks: in the monitor's process, so that a dead panel or worker silences nothing."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from appliance.domain.webhook import Delivery
from appliance.operations.beside import look_again_and_again
from appliance.operations.webhooks import attempt
from appliance.wiring import Appliance

LOOK_SECONDS = 2.0
AT_ONCE = 8


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """Looks again and again what is to be told to whom."""

    appliance: Appliance
    now: Callable[[], datetime] = _now

    def run(self, stop: Event) -> None:
        """Until the event is set."""
        look_again_and_again(self.look, stop, every_seconds=LOOK_SECONDS, failing="Webhooks could not be looked after")

    def look(self) -> None:
        """Deliver what is due. Webhooks do not wait for each other; one that fails is left in peace for the rest of this time."""
        webhooks, now = self.appliance.store.webhooks, self.now()
        webhooks.queue()
        if courses := [due for one in webhooks.list() if (due := webhooks.due(one.name, now))]:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._deliver, courses))
        webhooks.forget_old(now)

    def _deliver(self, course: Iterable[Delivery]) -> None:
        for delivery in course:
            webhook = self.appliance.store.webhooks.get(delivery.webhook)
            if not attempt(self.appliance, webhook, delivery, self.now()):
                return
