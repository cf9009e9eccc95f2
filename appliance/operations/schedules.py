"""A schedule is added: what people ask for becomes one, or is refused."""

import re
from datetime import datetime

from appliance.domain.host import patch_kind
from appliance.domain.schedule import Schedule, ScheduleRequest, Work
from appliance.domain.window_request import read_window
from appliance.errors import InvalidRequest
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40
MOST_FAILURES = 20


def add_schedule(appliance: Appliance, asked: ScheduleRequest, *, requested_by: str, now: datetime) -> Schedule:
    """Do that work on an instance, a host or the fleet in a window from now on. Raises InvalidRequest, NotFound, Conflict, PreflightFailed.

    What would be refused when the window opens is refused now; so nobody learns of it at night.
    """
    if not NAME_PATTERN.fullmatch(asked.name) or len(asked.name) > LONGEST_NAME:
        said = f"{asked.name[:60]!r} cannot name a schedule: use up to {LONGEST_NAME} small letters, digits and single dashes"
        raise InvalidRequest(f"{said}. Nothing was changed.", field="name")
    if not 1 <= asked.stop_after <= MOST_FAILURES:
        raise InvalidRequest(f"It can stop after 1 to {MOST_FAILURES} runs that failed. Nothing was changed.", field="stop_after")
    kind = _kind(asked)
    WORKFLOWS[kind].accept(appliance, asked.subject, asked.parameters)
    known = {**vars(asked), "window": read_window(asked.window, now)}
    del known["work"]
    schedule = Schedule(**known, kind=kind, created_at=now, dealt_with=now, counted_from=now)
    appliance.store.schedules.add(schedule, by=requested_by)
    return schedule


def _kind(asked: ScheduleRequest) -> str:
    patching = patch_kind(asked.subject)
    if asked.work is Work.PATCH:
        return patching
    if patching != Work.PATCH:
        raise InvalidRequest(f"Only a CRM has a {asked.work} of its own; name one. Nothing was changed.", field="subject")
    return asked.work.value
