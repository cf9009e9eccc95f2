"""Schedules, under /api/v1."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool

from appliance.domain.objectives import read_length
from appliance.domain.schedule import LONGEST_REASON, Schedule, ScheduleRequest, Work
from appliance.domain.window import CatchUp
from appliance.domain.window_request import WindowRequest
from appliance.operations import pausing
from appliance.operations.schedules import add_schedule
from appliance.web.access import right_for
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import BUSY, PROBLEMS
from appliance.web.api.tags import UNMET, PreconditionDependency
from appliance.web.panel import Panel, PanelDependency
from appliance.web.sessions import Bearer

COMING = 6

router = APIRouter(prefix="/api/v1/schedules", responses=PROBLEMS)


class WindowBody(Body):
    """When work may begin; a length of 180 minutes is three hours also in the nights in which clocks change."""

    days: Annotated[str, Field(max_length=100, description="SUN, MON-FRI, SUN#2 (the second), or cron's last three fields")]
    begin: Annotated[str, Field(max_length=5, description="As 02:00")]
    minutes: int
    time_zone: Annotated[str, Field(max_length=64, description="As Europe/Berlin")] = "UTC"
    blackouts: Annotated[list[str], Field(max_length=400, description="Dates, or first..last, in that time zone", default_factory=list)]
    every: Annotated[int, Field(description="In the window, begin anew each so many minutes; 0 for once")] = 0
    jitter: Annotated[int, Field(description="Begin up to so many minutes later, chosen once at random")] = 0


class BasicBody(Body):
    """What a schedule is told, and tells."""

    name: Annotated[str, Field(max_length=40)]
    subject: Annotated[str, Field(max_length=64, description="A CRM, host:NAME, or fleet:all")]
    window: WindowBody
    parameters: Annotated[
        dict[str, Any],
        Field(
            description="Of a host: `what` (security or all), `reboot`; of the fleet also `canaries`, `stop_after`", default_factory=dict
        ),
    ]
    catch_up: CatchUp = CatchUp.NEXT_WINDOW
    stop_after: Annotated[int, Field(description="After so many runs in a row that fail it pauses itself")] = 2


class NewScheduleBody(BasicBody):
    """A schedule to add."""

    work: Annotated[Work, Field(description="A host and the fleet can only be patched")] = Work.PATCH


class ScheduleBody(BasicBody):
    """A schedule; `note` is what was decided last, `next` when its next window begins, `coming` when the next six do."""

    kind: str
    paused: bool
    note: str
    noted_at: datetime | None
    operation: int | None
    created_at: datetime
    next: datetime | None
    coming: list[datetime]

    @classmethod
    def of(cls, schedule: Schedule, now: datetime) -> Self:
        """As it stands now."""
        window = schedule.window
        shown = WindowBody(
            days=window.days,
            begin=window.begin,
            minutes=int(window.length.total_seconds() // 60),
            time_zone=window.time_zone,
            blackouts=[str(blackout) for blackout in window.blackouts],
            every=int(window.every.total_seconds() // 60) if window.every else 0,
            jitter=int(window.jitter.total_seconds() // 60),
        )
        coming = [found.begins for found in islice((one for one in window.occurrences(now) if one.begins > now), COMING)]
        known = {name: value for name, value in vars(schedule).items() if name in cls.model_fields and name != "window"}
        return cls(**known, window=shown, next=coming[0] if coming else None, coming=coming)


class PausedBody(Body):
    """That all schedules are paused: by whom, since when, why, and until when if they go on by themselves."""

    by: str
    since: datetime
    reason: str
    until: datetime | None


class SchedulesBody(Body):
    """All schedules; `paused` says that all of them are, whatever each of them says, and `pause` more of it."""

    paused: bool
    pause: PausedBody | None
    schedules: list[ScheduleBody]


class PauseBody(Body):
    """Whether to pause or to go on."""

    paused: StrictBool


class PauseAllBody(PauseBody):
    """The same of all of them, with why and for how long."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    length: Annotated[str, Field(max_length=16, description="From 1m to 90d, as 8h; empty until somebody resumes them")] = ""


@router.get("")
def list_schedules(panel: PanelDependency, _: Bearer, asked: Annotated[PageQuery, Query()], paging: PagingDependency) -> SchedulesBody:
    """Give the schedules, by name, a page at a time."""
    (after,) = asked.after(str) or ("",)
    rows = panel.appliance.store.schedules.list(after=after, limit=asked.rows)
    return _told(panel, paging.cut(asked, rows, lambda row: (row.name,)))


def _told(panel: Panel, schedules: Sequence[Schedule]) -> SchedulesBody:
    pause = panel.appliance.store.schedules.all_paused(panel.clock())
    told = PausedBody(**vars(pause)) if pause else None
    return SchedulesBody(paused=pause is not None, pause=told, schedules=[ScheduleBody.of(one, panel.clock()) for one in schedules])


@router.post("", status_code=201, responses=BUSY)
def add(panel: PanelDependency, principal: Bearer, body: NewScheduleBody) -> ScheduleBody:
    """Do something in a window from now on."""
    principal.demand("schedule")
    principal.demand(right_for(body.work, body.parameters))
    asked = ScheduleRequest(**{**dict(body), "window": WindowRequest(**dict(body.window))})
    schedule = add_schedule(panel.appliance, asked, requested_by=principal.name, now=panel.clock())
    return ScheduleBody.of(schedule, panel.clock())


@router.post("/pause")
def pause_all(panel: PanelDependency, principal: Bearer, body: PauseAllBody) -> SchedulesBody:
    """Pause all schedules, or let them go on; windows that passed meanwhile are not caught up. The answer has the first page of them."""
    principal.demand("schedule")
    if body.paused:
        length = read_length(body.length, "length")
        pausing.pause_all(panel.appliance, reason=body.reason, length=length, by=principal.name, now=panel.clock())
    else:
        pausing.resume_all(panel.appliance, by=principal.name, now=panel.clock())
    return _told(panel, panel.appliance.store.schedules.list(limit=PageQuery().limit))


@router.get("/{name}")
def get_schedule(panel: PanelDependency, _: Bearer, name: str) -> ScheduleBody:
    """Give one schedule."""
    return ScheduleBody.of(panel.appliance.store.schedules.get(name), panel.clock())


@router.post("/{name}/pause", responses=UNMET)
def pause(panel: PanelDependency, principal: Bearer, name: str, body: PauseBody, still: PreconditionDependency) -> ScheduleBody:
    """Pause one schedule, or let it go on."""
    principal.demand("schedule")
    with still.on(lambda: get_schedule(panel, principal, name)):
        changed = panel.appliance.store.schedules.pause(name, paused=body.paused, by=principal.name, now=panel.clock())
    return ScheduleBody.of(changed, panel.clock())


@router.delete("/{name}", status_code=204, responses=UNMET)
def remove(panel: PanelDependency, principal: Bearer, name: str, still: PreconditionDependency) -> None:
    """Forget a schedule; its operations stay in the history."""
    principal.demand("schedule")
    with still.on(lambda: get_schedule(panel, principal, name)):
        panel.appliance.store.schedules.remove(name, by=principal.name, now=panel.clock())
