"""When unattended work is to be done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from appliance.domain.schedule import AllPaused, Schedule
from appliance.domain.window import CatchUp, Window
from appliance.errors import Conflict, NotFound
from appliance.store.audit import append_entry
from appliance.store.database import Database
from appliance.store.models import ScheduleRow, SwitchRow

WINDOW = TypeAdapter(Window)
ALL_PAUSED = "all schedules paused"


@dataclass(frozen=True, kw_only=True)
class Schedules:
    """Every schedule, and the switch that pauses all of them. Whoever changes one is written into the audit."""

    database: Database

    def list(self, *, after: str = "", limit: int | None = None) -> list[Schedule]:
        """By name, those whose name comes `after`."""
        query = select(ScheduleRow).where(ScheduleRow.name > after).order_by(ScheduleRow.name).limit(limit)
        with self.database.reading() as session:
            return [_schedule(row) for row in session.scalars(query)]

    def of(self, subjects: Collection[str]) -> Sequence[Schedule]:
        """Those of these subjects, by name."""
        query = select(ScheduleRow).where(ScheduleRow.subject.in_(subjects)).order_by(ScheduleRow.name)
        with self.database.reading() as session:
            return [_schedule(row) for row in session.scalars(query)]

    def subjects(self) -> dict[str, str]:
        """Whose each one is, by its name."""
        query = select(ScheduleRow.name, ScheduleRow.subject).order_by(ScheduleRow.name)
        with self.database.reading() as session:
            return {row.name: row.subject for row in session.execute(query)}

    def some(self, names: Collection[str]) -> Sequence[Schedule]:
        """Those of these names that are there, by name."""
        query = select(ScheduleRow).where(ScheduleRow.name.in_(names)).order_by(ScheduleRow.name)
        with self.database.reading() as session:
            return [_schedule(row) for row in session.scalars(query)]

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
                _audit(session, schedule, by, "schedule", schedule.created_at)
        except IntegrityError:
            raise Conflict(f"A schedule named {schedule.name} is there already. Nothing was changed.") from None

    def remove(self, name: str, *, by: str, now: datetime) -> None:
        """Raises NotFound. Its operations stay as they are."""
        schedule = self.get(name)
        with self.database.writing() as session:
            session.delete(session.get_one(ScheduleRow, name))
            _audit(session, schedule, by, "unschedule", now)

    def pause(self, name: str, *, paused: bool, by: str, now: datetime) -> Schedule:
        """Pause it or let it go on; windows that passed meanwhile are not caught up. Raises NotFound."""
        schedule = self.get(name)
        with self.database.writing() as session:
            row = session.get_one(ScheduleRow, name)
            if row.paused and not paused:
                row.dealt_with, row.counted_from, row.note, row.noted_at = max(row.dealt_with, now), now, "", None
            row.paused = paused
            _audit(session, schedule, by, "pause schedule" if paused else "resume schedule", now)
        return self.get(name)

    def decide(self, name: str, *, note: str, now: datetime, dealt_with: datetime | None = None, operation: int | None = None) -> None:
        """Write what was decided about a window; without `dealt_with` it will be looked at again."""
        with self.database.writing() as session:
            if (row := session.get(ScheduleRow, name)) is None:
                return
            row.note, row.noted_at = note, now
            row.dealt_with = dealt_with or row.dealt_with
            row.operation = operation or row.operation

    def pause_all(self, pause: AllPaused) -> None:
        """Pause every schedule, also those that are added later; in place of the pause before."""
        with self.database.writing() as session:
            session.merge(SwitchRow(name=ALL_PAUSED, **vars(pause)))
            told = {"reason": pause.reason} if pause.reason else {}
            detail = told | ({"until": pause.until.isoformat()} if pause.until else {})
            append_entry(session, at=pause.since, actor=pause.by, action="pause all", subject="schedules", detail=detail)

    def resume_all(self, *, by: str, now: datetime) -> None:
        """Let all go on that are not paused themselves; windows that passed meanwhile are not caught up."""
        with self.database.writing() as session:
            _resume(session, now)
            append_entry(session, at=now, actor=by, action="resume all", subject="schedules", detail={})

    def end_pause(self, *, by: str, now: datetime) -> None:
        """Let all go on if their pause is over by now: from its end on, whenever that is seen."""
        with self.database.reading() as session:
            if session.get(SwitchRow, ALL_PAUSED) is None:
                return
        with self.database.writing() as session:
            row = session.get(SwitchRow, ALL_PAUSED)
            if row is not None and row.until is not None and row.until <= now:
                until = row.until
                _resume(session, until)
                append_entry(session, at=now, actor=by, action="resume all", subject="schedules", detail={"until": until.isoformat()})

    def all_paused(self, now: datetime) -> AllPaused | None:
        """Who paused all of them, why and until when; None when nobody did, or it is over."""
        with self.database.reading() as session:
            row = session.get(SwitchRow, ALL_PAUSED)
        pause = None if row is None else AllPaused(by=row.by, since=row.since, reason=row.reason, until=row.until)
        return pause if pause is not None and pause.holds(now) else None


def _resume(session: Session, now: datetime) -> None:
    if (row := session.get(SwitchRow, ALL_PAUSED)) is None:
        return
    session.delete(row)
    for schedule in session.scalars(select(ScheduleRow)):
        schedule.dealt_with = max(schedule.dealt_with, now)


def _audit(session: Session, schedule: Schedule, by: str, action: str, now: datetime) -> None:
    append_entry(session, at=now, actor=by, action=action, subject=schedule.subject, detail={"schedule": schedule.name})


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {**vars(schedule), "parameters": dict(schedule.parameters), "window": WINDOW.dump_python(schedule.window, mode="json")}


def _schedule(row: ScheduleRow) -> Schedule:
    fields = {name: getattr(row, name) for name in Schedule.__dataclass_fields__}
    return Schedule(**{**fields, "window": WINDOW.validate_python(row.window), "catch_up": CatchUp(row.catch_up)})
