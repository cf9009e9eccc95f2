"""Asks the hosts by itself, so that the alerts about them are true when nobody looks: beside the monitor, in a thread of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

from appliance.operations.beside import look_again_and_again
from appliance.operations.pending import look
from appliance.operations.telling_facts import tell_shipped
from appliance.wiring import Appliance

LOOK_SECONDS = 60.0
UPDATES_EVERY = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Asking:
    """Looks each minute at the logs that are shipped, and once a day at what waits to be installed."""

    appliance: Appliance
    now: Callable[[], datetime] = _now

    def run(self, stop: Event) -> None:
        """Until the event is set."""
        look_again_and_again(self.look, stop, every_seconds=LOOK_SECONDS, failing="The hosts could not be asked")

    def look(self) -> None:
        """Ask what is due."""
        tell_shipped(self.appliance)
        if hosts := self._due():
            look(self.appliance, hosts, now=self.now())

    def _due(self) -> list[str]:
        """Hosts that were not asked for a day, by anybody. One that was just added is left alone for its first day."""
        asked = {pending.subject: pending.asked_at for pending in self.appliance.store.pending.list()}
        hosts = self.appliance.store.hosts.list()
        return [host.subject for host in hosts if self.now() - asked.get(host.subject, host.created_at) > UPDATES_EVERY]
