"""What is asked of the list of schedules: one is added, removed, paused; or all are paused."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.domain.host import patch_kind
from appliance.domain.schedule import Schedule
from appliance.domain.window import CatchUp, Window, check_window
from appliance.errors import InvalidRequest
from appliance.operations.workflows import WORKFLOWS
from appliance.wiring import Appliance

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME = 40
MOST_FAILURES = 20


def add_schedule(
    appliance: Appliance,
    *,
    name: str,
    subject: str,
    window: Window,
    parameters: Mapping[str, Any],
    catch_up: CatchUp,
    stop_after: int,
    requested_by: str,
    now: datetime,
) -> Schedule:
    """Patch an instance, a host or the fleet in a window from now on. Raises InvalidRequest, NotFound, Conflict, PreflightFailed.

    What would be refused when the window opens is refused now; so nobody learns of it at night.
    """
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST_NAME:
        raise InvalidRequest(f"{name[:60]!r} cannot name a schedule: use small letters, digits and single dashes.", field="name")
    if not 1 <= stop_after <= MOST_FAILURES:
        raise InvalidRequest(f"It can stop after 1 to {MOST_FAILURES} runs that failed. Nothing was changed.", field="stop_after")
    kind = patch_kind(subject)
    WORKFLOWS[kind].accept(appliance, subject, parameters)
    schedule = Schedule(
        name=name,
        subject=subject,
        kind=kind,
        window=check_window(window, now),
        parameters=dict(parameters),
        catch_up=catch_up,
        stop_after=stop_after,
        created_at=now,
        dealt_with=now,
        counted_from=now,
    )
    appliance.store.schedules.add(schedule, by=requested_by)
    return schedule
