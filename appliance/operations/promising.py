"""What is promised of each CRM, as the monitor is told."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfoNotFoundError

from appliance.domain.instance import Instance
from appliance.domain.schedule import Schedule, Work
from appliance.errors import InvalidRequest
from monitoring.targets import Promises

LOOKED_AT, LOOKED_AHEAD = 15, timedelta(days=15)
"""Whose gaps are looked at: so many occurrences of a schedule, those of two weeks where it is daily, and all of fifteen days."""
DAILY = timedelta(days=1)


def promises_of(instance: Instance, schedules: Iterable[Schedule]) -> Promises:
    """Of one CRM; what was not promised is what is expected of every CRM."""
    objectives = instance.objectives
    told = {
        "availability_ratio": objectives.availability,
        "latency_ratio": objectives.latency_share,
        "latency_seconds": _seconds(objectives.latency),
        "rpo_seconds": _seconds(objectives.oldest_backup),
        "rto_seconds": _seconds(objectives.rto),
        "backup_interval_seconds": _seconds(backup_interval(instance.name, schedules)),
    }
    return Promises.model_validate({name: value for name, value in told.items() if value is not None})


def backup_interval(instance: str, schedules: Iterable[Schedule]) -> timedelta:
    """How long after a backup the next one is expected: the longest pause of the schedule that has the shortest one, or a day.

    One that is paused counts too: that nobody backs up any more is what the alert is for.
    """
    gaps = [_longest_gap(schedule) for schedule in schedules if schedule.subject == instance and schedule.kind == Work.BACKUP]
    return min((gap for gap in gaps if gap is not None), default=DAILY)


def _longest_gap(schedule: Schedule) -> timedelta | None:
    try:
        begins = list(_first(schedule))
    except (InvalidRequest, ZoneInfoNotFoundError):
        return None
    return max((later - earlier for earlier, later in pairwise(begins)), default=None)


def _first(schedule: Schedule) -> Iterator[datetime]:
    for number, occurrence in enumerate(schedule.window.occurrences(schedule.created_at)):
        if number >= LOOKED_AT and occurrence.begins > schedule.created_at + LOOKED_AHEAD:
            return
        yield occurrence.begins


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
