"""What will be done by itself in the next days: the runs of schedules, and which of them get into each other's way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, takewhile
from zoneinfo import ZoneInfo

from appliance.domain.host import FLEET
from appliance.domain.schedule import Schedule

DAYS = 14


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a schedule does on one day, from `begins` on; `times` is how often, where its window has several beginnings that day.

    `waits_for` names the schedule whose work is likely to be under way then: on one subject one thing is done at a time.
    """

    schedule: Schedule
    begins: datetime
    ends: datetime
    times: int = 1
    waits_for: str = ""

    @property
    def date(self) -> date:
        """In the schedule's own time zone."""
        return self.begins.date()


def runs_of(schedule: Schedule, since: datetime, until: datetime) -> list[Run]:
    """One for each day on which its window opens, in its own time zone; none of one that is paused."""
    if schedule.paused:
        return []
    zone = ZoneInfo(schedule.window.time_zone)
    coming = takewhile(lambda one: one.begins < until, (one for one in schedule.window.occurrences(since) if one.begins >= since))
    days = groupby(coming, key=lambda one: one.begins.astimezone(zone).date())
    found = [list(ones) for _, ones in days]
    return [
        Run(schedule=schedule, begins=ones[0].begins.astimezone(zone), ends=ones[-1].ends.astimezone(zone), times=len(ones))
        for ones in found
    ]


def calendar(schedules: Iterable[Schedule], since: datetime, *, taking: Mapping[str, timedelta]) -> list[Run]:
    """All of them for so many days, in their order; `taking` is how long the work of a schedule takes, by its name, where that is known."""
    until = since + timedelta(days=DAYS)
    runs = sorted((run for one in schedules for run in runs_of(one, since, until)), key=lambda run: (run.begins, run.schedule.name))
    begun: dict[str, list[Run]] = {}
    for run in runs:
        begun.setdefault(run.schedule.subject, []).append(run)
    return [_with_conflict(run, _meeting(run, runs, begun), taking) for run in runs]


def _meeting(run: Run, runs: Sequence[Run], begun: Mapping[str, Sequence[Run]]) -> Sequence[Run]:
    """What is done to the same, in order: every host and CRM is in the fleet."""
    subject = run.schedule.subject
    if subject == FLEET:
        return runs
    if FLEET not in begun:
        return begun[subject]
    return [other for other in runs if other.schedule.subject in (subject, FLEET)]


def _with_conflict(run: Run, meeting: Sequence[Run], taking: Mapping[str, timedelta]) -> Run:
    """The last of those begun before, or at the same moment, on the same subject, which is not over by then."""
    for other in reversed(meeting[: meeting.index(run)]):
        over = other.begins + taking.get(other.schedule.name, timedelta())
        if other.begins == run.begins or over > run.begins:
            return replace(run, waits_for=other.schedule.name)
    return run
