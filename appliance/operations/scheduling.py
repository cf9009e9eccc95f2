"""Request unattended work when its window is open, or has been missed and is to be caught up; every decision is written down."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfoNotFoundError

from appliance.domain.forecast import Fit, Forecast, forecast
from appliance.domain.operation import Operation, OperationStatus
from appliance.domain.schedule import Schedule
from appliance.domain.window import Due, Timing, due
from appliance.errors import ApplianceError, Conflict, InvalidRequest
from appliance.operations.requesting import request
from appliance.wiring import Appliance

PAUSE_SECONDS = 10.0
REMEMBERED_RUNS = 20
REQUESTED_BY = "the appliance"


@dataclass(kw_only=True)
class Scheduling:
    """Looks every few seconds; what it decides is in the store, so a worker that was killed decides nothing twice."""

    monotonic: Callable[[], float] = time.monotonic
    due_at: float = 0.0

    def look(self, appliance: Appliance, now: datetime) -> None:
        """Look if it is time."""
        if self.monotonic() >= self.due_at:
            self.due_at = self.monotonic() + PAUSE_SECONDS
            stop_failing(appliance, now)
            carry_out_schedules(appliance, now)


def carry_out_schedules(appliance: Appliance, now: datetime) -> list[int]:
    """Request what is due; gives the operations."""
    store = appliance.store
    store.schedules.end_pause(by=REQUESTED_BY, now=now)
    schedules = [schedule for schedule in store.schedules.list() if not schedule.paused]
    if not schedules or store.schedules.all_paused(now) is not None:
        return []
    begun = []
    for schedule in schedules:
        found = _due(appliance, schedule, now)
        if found is not None and (operation := _decide(appliance, schedule, found, now)) is not None:
            begun.append(operation)
    return begun


def _due(appliance: Appliance, schedule: Schedule, now: datetime) -> Due | None:
    """None also for a window that cannot be told any more, since its time zone is gone: that is noted, and no reason to stop the worker."""
    try:
        return due(schedule.window, since=schedule.dealt_with, now=now, catch_up=schedule.catch_up)
    except (InvalidRequest, ZoneInfoNotFoundError) as error:
        if schedule.note != (note := f"its window cannot be told: {error}"):
            _note(appliance, schedule, note, now)
        return None


def forecast_of(appliance: Appliance, kind: str, subject: str) -> Forecast:
    """By the last runs that succeeded; those that found nothing to do tell nothing."""
    return forecast(appliance.store.operations.lengths(instance=subject, kind=kind, limit=REMEMBERED_RUNS))


def failures_in_a_row(appliance: Appliance, schedule: Schedule) -> int:
    """How many of its last runs ended without success, up to the last that did, counted since it was last resumed."""
    runs = appliance.store.operations.list(instance=schedule.subject, kind=schedule.kind, limit=REMEMBERED_RUNS)
    count = 0
    for run in _own(schedule, runs):
        if run.requested_at < schedule.counted_from or run.status is OperationStatus.SUCCEEDED:
            break
        count += run.status.is_final or run.status is OperationStatus.NEEDS_ATTENTION
    return count


def _own(schedule: Schedule, runs: list[Operation]) -> list[Operation]:
    return [run for run in runs if run.requested_by == schedule.requester]


def _decide(appliance: Appliance, schedule: Schedule, found: Due, now: datetime) -> int | None:
    begins = found.occurrence.begins
    missed = f"; {found.missed} before it were missed" if found.missed else ""
    if found.timing is Timing.MISSED:
        _note(appliance, schedule, f"missed the window of {_text(begins)}{missed}; {_next(schedule, now)}", now, dealt_with=begins)
        return None
    known = forecast_of(appliance, schedule.kind, schedule.subject)
    left = found.occurrence.ends - now if found.timing is Timing.NOW else schedule.window.length
    explained = known.explain(left) if found.timing is Timing.NOW else f"catches up the window of {_text(begins)}"
    if found.timing is Timing.NOW and known.fit(left) is Fit.NO:
        _note(
            appliance, schedule, f"not begun in the window of {_text(begins)}: {explained}; {_next(schedule, now)}", now, dealt_with=begins
        )
        return None
    return _request(appliance, schedule, begins, f"{explained}{missed}", now)


def _request(appliance: Appliance, schedule: Schedule, begins: datetime, explained: str, now: datetime) -> int | None:
    """Request it, unless that was done before a crash kept it from being noted."""
    last = appliance.store.operations.list(instance=schedule.subject, kind=schedule.kind, limit=REMEMBERED_RUNS)
    before = next((run for run in _own(schedule, last) if run.requested_at >= begins), None)
    try:
        operation = before or request(
            appliance, schedule.kind, schedule.subject, schedule.parameters, requested_by=schedule.requester, now=now
        )
    except Conflict as busy:
        if schedule.note != (note := f"waits in its window: {busy}"):
            _note(appliance, schedule, note, now)
        return None
    except ApplianceError as error:
        _note(appliance, schedule, f"not begun: {error}", now, dealt_with=begins)
        return None
    appliance.store.schedules.decide(
        schedule.name, note=f"operation {operation.id}: {explained}", now=now, dealt_with=begins, operation=operation.id
    )
    return operation.id


def stop_failing(appliance: Appliance, now: datetime) -> list[str]:
    """Pause the schedules whose last runs have all failed; gives their names. Somebody has to look before they go on."""
    stopped = []
    for schedule in appliance.store.schedules.list():
        if schedule.paused or failures_in_a_row(appliance, schedule) < schedule.stop_after:
            continue
        appliance.store.schedules.pause(schedule.name, paused=True, by=REQUESTED_BY, now=now)
        runs = "a run" if schedule.stop_after == 1 else f"{schedule.stop_after} runs in a row"
        note = f"paused after {runs} that did not succeed; see operation {schedule.operation}, then resume it"
        appliance.store.schedules.decide(schedule.name, note=note, now=now)
        stopped.append(schedule.name)
    return stopped


def _note(appliance: Appliance, schedule: Schedule, note: str, now: datetime, *, dealt_with: datetime | None = None) -> None:
    appliance.store.schedules.decide(schedule.name, note=note, now=now, dealt_with=dealt_with)
    if dealt_with is not None:
        detail = {"schedule": schedule.name, "note": note}
        appliance.store.access.audit(actor=REQUESTED_BY, action="window", subject=schedule.subject, detail=detail, now=now)


def _next(schedule: Schedule, now: datetime) -> str:
    found = schedule.window.next(now)
    return f"the next one is {_text(found.begins)}" if found else "there is no next one"


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
