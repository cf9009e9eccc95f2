"""Keep the monitor told of what is promised, however an objective or a schedule came to change."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.operations.promising import promises_of
from appliance.operations.telling import publish_targets
from appliance.wiring import Appliance
from monitoring.targets import Promises

PAUSE_SECONDS = 15.0


@dataclass(kw_only=True)
class Publishing:
    """Publishes the targets anew when an objective or a schedule of backups has changed, however that came about."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0
    told: dict[str, Promises] = field(default_factory=dict)

    def look(self, appliance: Appliance) -> None:
        """Look if it is time."""
        if self.monotonic() < self.due_at:
            return
        self.due_at = self.monotonic() + PAUSE_SECONDS
        schedules = appliance.store.schedules.list()
        wanted = {instance.name: promises_of(instance, schedules) for instance in appliance.store.instances.list()}
        if wanted != self.told:
            publish_targets(appliance)
            self.told = wanted
