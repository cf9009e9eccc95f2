"""What a schedule is: unattended work that is requested in the windows of its subject."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from appliance.domain.window import CatchUp, Window
from appliance.domain.window_request import WindowRequest
from appliance.errors import InvalidRequest

LONGEST_REASON = 200
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=90)


class Work(StrEnum):
    """What is done in the windows, all of it to a CRM; a host and the fleet can only be patched.

    `archive` saves a new base, for a CRM of which every change is kept; `check` reads a part of what its repository holds.
    `retention` gives up elsewhere what is not to be kept there.
    """

    PATCH = "patch"
    BACKUP = "backup"
    ARCHIVE = "archive"
    DRILL = "drill"
    CHECK = "check"
    RETENTION = "retention"


@dataclass(frozen=True, kw_only=True)
class AllPaused:
    """Every schedule is paused, also those that are added later; with `until` they go on by themselves."""

    by: str
    since: datetime
    reason: str = ""
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is not over yet."""
        return self.until is None or now < self.until


def check_pause(reason: str, length: timedelta | None) -> str:
    """Give the reason back, on one line. Raises InvalidRequest for one that is too long, and for a pause that is too short or too long."""
    said = " ".join(reason.split())
    if len(said) > LONGEST_REASON:
        raise InvalidRequest(f"A reason has at most {LONGEST_REASON} characters. Nothing was changed.", field="reason")
    if length is not None and not SHORTEST_PAUSE <= length <= LONGEST_PAUSE:
        raise InvalidRequest(
            "Schedules are paused for a minute to 90 days, or until somebody resumes them. Nothing was changed.", field="length"
        )
    return said


@dataclass(frozen=True, kw_only=True)
class ScheduleRequest:
    """A schedule as somebody asks for it, unchecked; the rest of it is decided when it is added."""

    name: str
    subject: str
    window: WindowRequest
    work: Work = Work.PATCH
    parameters: Mapping[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = CatchUp.NEXT_WINDOW
    stop_after: int = 2


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Requests an operation of a kind for a subject (an instance, or "host:NAME") in every occurrence of a window.

    `dealt_with` is the beginning of the last occurrence that something was decided about, or the moment it was made: windows count
    from there. `note` says what was decided. After `stop_after` runs in a row that did not succeed it pauses itself; runs count from
    `counted_from`, when it was made or resumed.
    """

    name: str
    subject: str
    kind: str
    window: Window
    created_at: datetime
    dealt_with: datetime
    counted_from: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = CatchUp.NEXT_WINDOW
    stop_after: int = 2
    paused: bool = False
    note: str = ""
    noted_at: datetime | None = None
    operation: int | None = None

    @property
    def requester(self) -> str:
        """Who requests its operations."""
        return f"schedule {self.name}"
