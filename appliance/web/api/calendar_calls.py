"""The calendar, under /api/v1: what will be done by itself in the next two weeks."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field

from appliance.domain.calendar import Run
from appliance.operations.calendars import calendar_of_subjects
from appliance.web.api.bodies import Body
from appliance.web.api.paging import PageQuery, PagingDependency
from appliance.web.api.refusals import PROBLEMS
from appliance.web.panel import PanelDependency
from appliance.web.sessions import Bearer


class CalendarQuery(PageQuery):
    """Which page is asked for: a row is a CRM, a host or the fleet."""

    limit: Annotated[int, Field(ge=1, le=200, description="Rows at most")] = 20


class RunBody(Body):
    """A window of a schedule, in the schedule's time zone; `times` is how often it begins in it.

    `waits_for` names the schedule whose work is likely to be under way then, if there is such a one.
    """

    schedule: str
    kind: str
    begins: datetime
    ends: datetime
    times: int
    waits_for: str

    @classmethod
    def of(cls, run: Run) -> Self:
        """All of it."""
        told = {name: getattr(run, name) for name in ("begins", "ends", "times", "waits_for")}
        return cls(schedule=run.schedule.name, kind=run.schedule.kind, **told)


class SubjectCalendarBody(Body):
    """What will be done to a CRM, a host (host:NAME) or the fleet (fleet:all). Of schedules that are paused there is nothing."""

    subject: str
    runs: list[RunBody]


router = APIRouter(prefix="/api/v1/calendar", responses=PROBLEMS)


@router.get("")
def show_calendar(
    panel: PanelDependency, _: Bearer, asked: Annotated[CalendarQuery, Query()], paging: PagingDependency
) -> list[SubjectCalendarBody]:
    """Give the windows of the next two weeks, by whom they are of, a page at a time."""
    (after,) = asked.after(str) or ("",)
    scheduled = sorted(set(panel.appliance.store.schedules.subjects().values()))
    rows = [subject for subject in scheduled if subject > after][: asked.rows]
    page = paging.cut(asked, rows, lambda subject: (subject,))
    found = calendar_of_subjects(panel.appliance, page, panel.clock())
    return [SubjectCalendarBody(subject=subject, runs=[RunBody.of(run) for run in found[subject]]) for subject in page]
