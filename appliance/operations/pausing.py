"""Pause everything that is done by itself, and let it go on."""

from datetime import datetime, timedelta

from appliance.domain.schedule import AllPaused, check_pause
from appliance.wiring import Appliance


def pause_all(appliance: Appliance, *, reason: str, length: timedelta | None, by: str, now: datetime) -> AllPaused:
    """Begin nothing by itself for so long, or until somebody says so; what runs goes on. Raises InvalidRequest."""
    until = now + length if length else None
    pause = AllPaused(by=by, since=now, reason=check_pause(reason, length), until=until)
    appliance.store.schedules.pause_all(pause)
    return pause


def resume_all(appliance: Appliance, *, by: str, now: datetime) -> None:
    """Let all go on that are not paused themselves."""
    appliance.store.schedules.resume_all(by=by, now=now)
