"""Tells as an event when the monitor finds a CRM otherwise than before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from appliance.operations.beside import look_again_and_again
from appliance.operations.watching import read_sightings
from appliance.wiring import Appliance

LOOK_SECONDS = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Seeing:
    """Looks again and again, in the monitor's process."""

    appliance: Appliance
    now: Callable[[], datetime] = _now

    def run(self, stop: Event) -> None:
        """Until the event is set."""
        look_again_and_again(self.look, stop, every_seconds=LOOK_SECONDS, failing="What happens to the CRMs could not be told")

    def look(self) -> None:
        """Once."""
        now = self.now()
        tell_health(self.appliance, now)
        self.appliance.store.events.forget_old(now)


def tell_health(appliance: Appliance, now: datetime) -> None:
    """Write an event for each CRM whose health is another than the one that was told last. An unreadable ledger has seen nothing."""
    told = appliance.store.events.healths()
    seen = read_sightings(appliance.settings.ledger_file, now)
    for instance in appliance.store.instances.list():
        sighting = seen.get(instance.name)
        if sighting and told.get(instance.name) != sighting.health:
            appliance.store.events.tell_health(instance.name, sighting.health, sighting.reason, now=now)
