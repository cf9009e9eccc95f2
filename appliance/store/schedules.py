"""When unattended work is to be done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from appliance.domain.schedule import Schedule
from appliance.domain.window import CatchUp, Window
from appliance.errors import Conflict, NotFound
from appliance.store.database import Database
from appliance.store.models import AuditRow, ScheduleRow, SwitchRow

WINDOW = TypeAdapter(Window)
ALL_PAUSED = "all schedules paused"


@dataclass(frozen=True, kw_only=True)
class Schedules:
    """Every schedule, and the switch that pauses all of them. Whoever changes one is written into the audit."""

    database: Database

    def list(self) -> list[Schedule]:
        """By name."""
        with self.database.reading() as session:
            return [_schedule(row) for row in session.scalars(select(ScheduleRow).order_by(ScheduleRow.name))]

    def get(self, name: str) -> Schedule:
        """Raises NotFound."""
        with self.database.reading() as session:
            row = session.get(ScheduleRow, name)
        if row is None:
            raise NotFound(f"There is no schedule {name!r}. `appliance schedule list` names them.")
        return _schedule(row)

    def add(self, schedule: Schedule, *, by: str) -> None:
        """Raises Conflict when the name is taken."""
        try:
            with self.database.writing() as session:
                session.add(ScheduleRow(**_columns(schedule)))
                session.add(_audit(schedule, by, "schedule", schedule.created_at))
        except IntegrityError:
            raise Conflict(f"A schedule named {schedule.name} is there already. Nothing was changed.") from None

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Raises NotFound. Its operations stay as they are."""
        schedule = self.get(name)
        with self.database.writing() as session:
            session.delete(session.get_one(ScheduleRow, name))
            session.add(_audit(schedule, by, "unschedule", now))

    def pause(self, name: str, *, paused: bool, by: str, now: datetime) -> Schedule:
        """Pause it or let it go on; windows that passed meanwhile are not caught up. Raises NotFound."""
        schedule = self.get(name)
        with self.database.writing() as session:
            row = session.get_one(ScheduleRow, name)
            if row.paused and not paused:
                row.dealt_with, row.counted_from, row.note, row.noted_at = max(row.dealt_with, now), now, "", None
            row.paused = paused
            session.add(_audit(schedule, by, "pause schedule" if paused else "resume schedule", now))
        return self.get(name)

    def decide(self, name: str, *, note: str, now: datetime, dealt_with: datetime | None = None, operation: int | None = None) -> None:
        """Write what was decided about a window; without `dealt_with` it will be looked at again."""
        with self.database.writing() as session:
            if (row := session.get(ScheduleRow, name)) is None:
                return
            row.note, row.noted_at = note, now
            row.dealt_with = dealt_with or row.dealt_with
            row.operation = operation or row.operation

    def pause_all(self, *, paused: bool, by: str, now: datetime) -> None:
        """Pause every schedule, also those that are added later, or let all go on that are not paused themselves."""
        with self.database.writing() as session:
            row = session.get(SwitchRow, ALL_PAUSED)
            if paused and row is None:
                session.add(SwitchRow(name=ALL_PAUSED, since=now, by=by))
            if not paused and row is not None:
                session.delete(row)
                for schedule in session.scalars(select(ScheduleRow)):
                    schedule.dealt_with = max(schedule.dealt_with, now)
            session.add(AuditRow(at=now, actor=by, action="pause all" if paused else "resume all", subject="schedules", detail={}))

    def paused_by(self) -> tuple[str, datetime] | None:
        """Who paused all of them, and when; None when nobody did."""
        with self.database.reading() as session:
            row = session.get(SwitchRow, ALL_PAUSED)
        return None if row is None else (row.by, row.since)


def _audit(schedule: Schedule, by: str, action: str, now: datetime) -> AuditRow:
    return AuditRow(at=now, actor=by, action=action, subject=schedule.subject, detail={"schedule": schedule.name})


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {**vars(schedule), "parameters": dict(schedule.parameters), "window": WINDOW.dump_python(schedule.window, mode="json")}


def _schedule(row: ScheduleRow) -> Schedule:
    fields = {name: getattr(row, name) for name in Schedule.__dataclass_fields__}
    return Schedule(**{**fields, "window": WINDOW.validate_python(row.window), "catch_up": CatchUp(row.catch_up)})
