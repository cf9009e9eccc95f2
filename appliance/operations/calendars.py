"""What will be done by itself, by how long it took before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from appliance.domain.calendar import Run, calendar
from appliance.domain.host import FLEET
from appliance.domain.schedule import Schedule
from appliance.operations.scheduling import forecast_of
from appliance.wiring import Appliance


def calendar_of(appliance: Appliance, schedules: Iterable[Schedule], now: datetime) -> Sequence[Run]:
    """The runs of these schedules in the next days, in their order; those that get in each other's way say so."""
    listed = list(schedules)
    known = {one.name: forecast_of(appliance, one.kind, one.subject).median for one in listed}
    return calendar(listed, now, taking={name: length for name, length in known.items() if length is not None})


def calendar_of_subjects(appliance: Appliance, subjects: Collection[str], now: datetime) -> Mapping[str, Sequence[Run]]:
    """The runs of each of these CRMs, hosts or the fleet, by its name; what the fleet's runs get in the way of says so, too."""
    runs = calendar_of(appliance, appliance.store.schedules.of({*subjects, FLEET}), now)
    return {subject: [run for run in runs if run.schedule.subject == subject] for subject in subjects}
