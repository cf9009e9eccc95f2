"""A schedule requests its work once in each window, says why it did not, and stops when nobody should let it go on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus, StepStatus
from appliance.domain.repository import Repository
from appliance.domain.schedule import AllPaused, Schedule, ScheduleRequest, Work
from appliance.domain.window import CatchUp
from appliance.domain.window_request import WindowRequest
from appliance.errors import Conflict, InvalidRequest, NotFound
from appliance.operations.pausing import pause_all, resume_all
from appliance.operations.schedules import add_schedule
from appliance.operations.scheduling import carry_out_schedules, forecast_of, stop_failing
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales, end_operation, run_operation

HOUR = timedelta(hours=1)
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 2, tzinfo=UTC)
"""When the window opens, for two hours."""
WEEK = timedelta(days=7)


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    found = make_appliance(tmp_path)
    add_sales(found)
    return found


def asked(*, name: str = "nightly", subject: str = "sales", **parameters: object) -> ScheduleRequest:
    window = WindowRequest(days="SUN", begin="02:00", minutes=120, time_zone="UTC")
    return ScheduleRequest(name=name, subject=subject, window=window, parameters=parameters)


def add(appliance: Appliance, *, catch_up: CatchUp = CatchUp.NEXT_WINDOW, stop_after: int = 2) -> Schedule:
    return add_schedule(appliance, replace(asked(), catch_up=catch_up, stop_after=stop_after), requested_by="Alice", now=FRIDAY)


def end(appliance: Appliance, operation_id: int, status: OperationStatus, at: datetime) -> None:
    appliance.store.operations.claim(now=at)
    appliance.store.operations.finish(operation_id, status, now=at)


def note(appliance: Appliance) -> str:
    return appliance.store.schedules.get("nightly").note


@pytest.mark.parametrize("work", [Work.BACKUP, Work.ARCHIVE, Work.DRILL, Work.CHECK])
def test_all_that_is_done_to_a_crm_can_be_done_in_windows(appliance: Appliance, work: Work) -> None:
    add_schedule(appliance, replace(asked(), work=work), requested_by="Alice", now=FRIDAY)
    (operation,) = carry_out_schedules(appliance, SUNDAY)
    assert appliance.store.operations.get(operation).kind == work


def test_what_is_done_each_hour_is_requested_once_in_each(appliance: Appliance) -> None:
    window = replace(asked().window, every=60)
    add_schedule(appliance, replace(asked(), work=Work.BACKUP, window=window), requested_by="Alice", now=FRIDAY)
    requested = []
    for minutes in range(0, 180, 20):
        moment = SUNDAY + timedelta(minutes=minutes)
        for operation in carry_out_schedules(appliance, moment):
            requested.append(minutes)
            end(appliance, operation, OperationStatus.SUCCEEDED, moment)
    assert requested == [0, 60]


def test_a_backup_that_would_keep_nothing_is_refused_when_it_is_scheduled(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match="keep no recovery point at all"):
        add_schedule(appliance, replace(asked(keep={"daily": 0}), work=Work.BACKUP), requested_by="Alice", now=FRIDAY)


def test_a_host_and_the_fleet_can_only_be_patched(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match="Only a CRM has a backup of its own"):
        add_schedule(appliance, replace(asked(subject="fleet:all"), work=Work.BACKUP), requested_by="Alice", now=FRIDAY)
    assert appliance.store.schedules.list() == []


def test_nothing_is_requested_before_the_window_and_one_operation_in_it(appliance: Appliance) -> None:
    add(appliance)
    assert carry_out_schedules(appliance, SUNDAY - HOUR) == []
    (operation,) = carry_out_schedules(appliance, SUNDAY)
    end(appliance, operation, OperationStatus.SUCCEEDED, SUNDAY + HOUR / 2)
    assert carry_out_schedules(appliance, SUNDAY + HOUR) == []
    found = appliance.store.operations.get(operation)
    assert (found.kind, found.requested_by, found.parameters) == ("patch", "schedule nightly", {"to": "2.7.13"})
    assert "not known, since it was never done before" in note(appliance)


def test_a_worker_killed_before_it_noted_the_request_requests_nothing_twice(appliance: Appliance) -> None:
    schedule = add(appliance)
    (operation,) = carry_out_schedules(appliance, SUNDAY)
    end(appliance, operation, OperationStatus.SUCCEEDED, SUNDAY + HOUR / 2)
    appliance.store.schedules.decide("nightly", note="", now=SUNDAY, dealt_with=schedule.dealt_with)
    assert carry_out_schedules(appliance, SUNDAY + HOUR) == [operation]
    assert len(appliance.store.operations.list()) == 1


def test_a_busy_instance_is_waited_for_while_the_window_is_open(appliance: Appliance) -> None:
    add(appliance)
    held = run_operation(appliance, kind="backup", now=SUNDAY)
    assert carry_out_schedules(appliance, SUNDAY) == []
    assert "busy with operation" in note(appliance)
    end_operation(appliance, held.id, OperationStatus.SUCCEEDED, now=SUNDAY + HOUR)
    assert len(carry_out_schedules(appliance, SUNDAY + HOUR)) == 1


def test_a_missed_window_is_noted_and_left_to_the_next_one(appliance: Appliance) -> None:
    add(appliance)
    assert carry_out_schedules(appliance, SUNDAY + 5 * HOUR) == []
    assert note(appliance) == "missed the window of 2026-11-22 02:00 UTC; the next one is 2026-11-29 02:00 UTC"
    assert len(carry_out_schedules(appliance, SUNDAY + WEEK)) == 1


def test_a_missed_window_is_caught_up_once_if_that_is_wanted(appliance: Appliance) -> None:
    add(appliance, catch_up=CatchUp.SOON)
    (operation,) = carry_out_schedules(appliance, SUNDAY + 2 * WEEK + 9 * HOUR)
    assert "catches up the window of 2026-12-06 02:00 UTC; 2 before it were missed" in note(appliance)
    end(appliance, operation, OperationStatus.SUCCEEDED, SUNDAY + 2 * WEEK + 10 * HOUR)
    assert carry_out_schedules(appliance, SUNDAY + 2 * WEEK + 11 * HOUR) == []


def took(appliance: Appliance, length: timedelta) -> None:
    operation = run_operation(appliance, kind="patch", now=FRIDAY - WEEK)
    end_operation(appliance, operation.id, OperationStatus.SUCCEEDED, now=FRIDAY - WEEK + length)


def test_what_would_not_finish_is_not_begun(appliance: Appliance) -> None:
    took(appliance, HOUR)
    add(appliance)
    assert carry_out_schedules(appliance, SUNDAY + HOUR + HOUR / 2) == []
    assert "1 run before took 60 min (median), 60 min at most: it will not finish in the window" in note(appliance)
    assert len(carry_out_schedules(appliance, SUNDAY + WEEK)) == 1


def test_runs_that_found_nothing_to_do_tell_nothing_of_how_long_it_takes(appliance: Appliance) -> None:
    took(appliance, HOUR)
    nothing = appliance.store.operations.record(
        kind="patch", instance="sales", parameters={}, steps=[("look", "Look"), ("rest", "Rest")], requested_by="Alice", now=FRIDAY
    )
    appliance.store.operations.claim(now=FRIDAY)
    appliance.store.operations.end_step(nothing.id, "look", StepStatus.SUCCEEDED, now=FRIDAY, skip_rest=True)
    appliance.store.operations.finish(nothing.id, OperationStatus.SUCCEEDED, now=FRIDAY)
    known = forecast_of(appliance, "patch", "sales")
    assert (known.runs, known.longest) == (1, HOUR)


def test_paused_schedules_request_nothing_and_catch_nothing_up(appliance: Appliance) -> None:
    add(appliance, catch_up=CatchUp.SOON)
    appliance.store.schedules.pause("nightly", paused=True, by="Alice", now=FRIDAY)
    assert carry_out_schedules(appliance, SUNDAY) == []
    appliance.store.schedules.pause("nightly", paused=False, by="Alice", now=SUNDAY + 9 * HOUR)
    assert carry_out_schedules(appliance, SUNDAY + 10 * HOUR) == []
    assert len(carry_out_schedules(appliance, SUNDAY + WEEK)) == 1


def test_all_are_paused_at_once_and_it_is_known_by_whom(appliance: Appliance) -> None:
    pause_all(appliance, reason="", length=None, by="Alice", now=FRIDAY)
    add(appliance)
    assert carry_out_schedules(appliance, SUNDAY) == []
    assert appliance.store.schedules.all_paused(SUNDAY) == AllPaused(by="Alice", since=FRIDAY)
    resume_all(appliance, by="Alice", now=SUNDAY + HOUR)
    assert appliance.store.schedules.all_paused(SUNDAY + HOUR) is None
    assert len(carry_out_schedules(appliance, SUNDAY + WEEK)) == 1


def test_a_pause_ends_by_itself_and_nothing_is_caught_up(appliance: Appliance) -> None:
    add(appliance, catch_up=CatchUp.SOON)
    pause_all(appliance, reason=" The data \n centre moves ", length=timedelta(days=3), by="Alice", now=FRIDAY)
    pause = appliance.store.schedules.all_paused(SUNDAY)
    assert pause == AllPaused(by="Alice", since=FRIDAY, reason="The data centre moves", until=FRIDAY + timedelta(days=3))
    assert carry_out_schedules(appliance, SUNDAY) == []
    assert carry_out_schedules(appliance, FRIDAY + timedelta(days=3)) == []
    assert appliance.store.schedules.all_paused(FRIDAY + timedelta(days=3)) is None
    assert [one.action for one in appliance.store.audit.list(limit=1)] == ["resume all"]
    assert len(carry_out_schedules(appliance, SUNDAY + WEEK)) == 1


def test_a_pause_whose_end_is_seen_late_ends_when_it_was_to(appliance: Appliance) -> None:
    add(appliance)
    pause_all(appliance, reason="", length=HOUR, by="Alice", now=FRIDAY)
    assert len(carry_out_schedules(appliance, SUNDAY)) == 1


def test_what_goes_on_at_once_is_held_again_by_a_newer_pause(appliance: Appliance) -> None:
    add(appliance)
    pause_all(appliance, reason="one", length=HOUR, by="Alice", now=FRIDAY)
    pause_all(appliance, reason="two", length=None, by="Oscar", now=FRIDAY)
    assert carry_out_schedules(appliance, SUNDAY) == []
    pause = appliance.store.schedules.all_paused(SUNDAY)
    assert pause is not None
    assert (pause.by, pause.reason, pause.until) == ("Oscar", "two", None)


@pytest.mark.parametrize(("reason", "length"), [("x" * 201, None), ("", timedelta(seconds=1)), ("", timedelta(days=91))])
def test_a_pause_that_is_no_such_is_refused(appliance: Appliance, reason: str, length: timedelta | None) -> None:
    with pytest.raises(InvalidRequest, match=r"Nothing was changed|at most"):
        pause_all(appliance, reason=reason, length=length, by="Alice", now=FRIDAY)
    assert appliance.store.schedules.all_paused(FRIDAY) is None


def test_after_so_many_failures_it_pauses_itself_until_somebody_resumes_it(appliance: Appliance) -> None:
    add(appliance)
    for week in range(2):
        assert stop_failing(appliance, SUNDAY + week * WEEK) == []
        (operation,) = carry_out_schedules(appliance, SUNDAY + week * WEEK)
        end(appliance, operation, OperationStatus.ROLLED_BACK, SUNDAY + week * WEEK + HOUR)
    assert stop_failing(appliance, SUNDAY + WEEK + HOUR) == ["nightly"]
    assert "2 runs in a row that did not succeed" in note(appliance)
    assert carry_out_schedules(appliance, SUNDAY + 2 * WEEK) == []
    appliance.store.schedules.pause("nightly", paused=False, by="Alice", now=SUNDAY + 2 * WEEK + HOUR)
    assert stop_failing(appliance, SUNDAY + 2 * WEEK + HOUR) == []


def test_what_would_be_refused_at_night_is_refused_at_once(appliance: Appliance) -> None:
    add(appliance)
    with pytest.raises(Conflict, match="is there already"):
        add(appliance)
    with pytest.raises(InvalidRequest):
        add(appliance, stop_after=0)
    with pytest.raises(NotFound):
        add_schedule(appliance, asked(name="other", subject="nobody"), requested_by="Alice", now=FRIDAY)
    with pytest.raises(InvalidRequest):
        add_schedule(appliance, asked(name="other", reboot=True), requested_by="Alice", now=FRIDAY)


def test_a_window_whose_time_zone_is_gone_is_noted_and_stops_no_other(appliance: Appliance) -> None:
    made = add(appliance)
    gone = replace(made, name="gone", window=replace(made.window, time_zone="Europe/Atlantis"))
    appliance.store.schedules.add(gone, by="Alice")
    assert len(carry_out_schedules(appliance, SUNDAY)) == 1
    assert "its window cannot be told" in appliance.store.schedules.get("gone").note


def test_a_schedule_is_kept_as_it_was_made(appliance: Appliance) -> None:
    made = add(appliance)
    assert appliance.store.schedules.list() == [made]
    appliance.store.schedules.remove("nightly", by="Alice", now=FRIDAY)
    assert appliance.store.schedules.list() == []


def queue(appliance: Appliance, kind: str, subject: str) -> int:
    return appliance.store.operations.record(
        kind=kind, instance=subject, parameters={}, steps=[("one", "One")], requested_by="Alice", now=FRIDAY
    ).id


def claimed(appliance: Appliance) -> int | None:
    operation = appliance.store.operations.claim(now=FRIDAY)
    return operation.id if operation else None


def test_what_patches_a_whole_host_waits_for_its_instances_and_they_for_it(appliance: Appliance) -> None:
    backup, patch = queue(appliance, "backup", "sales"), queue(appliance, "host-patch", "host:localhost")
    add_sales(appliance, name="more", slot=1)
    other = queue(appliance, "backup", "more")
    elsewhere = queue(appliance, "host-prepare", "host:web1")
    assert [claimed(appliance) for _ in range(3)] == [backup, elsewhere, None]
    end_operation_of(appliance, backup)
    assert [claimed(appliance) for _ in range(2)] == [patch, None]
    end_operation_of(appliance, patch)
    assert claimed(appliance) == other


def end_operation_of(appliance: Appliance, operation_id: int) -> None:
    appliance.store.operations.finish(operation_id, OperationStatus.SUCCEEDED, now=FRIDAY)


def test_a_drill_by_itself_may_read_elsewhere(appliance: Appliance) -> None:
    repository = Repository(name="offsite", location="rest:https://nas:8000/crm/", created_at=NOON)
    appliance.store.repositories.add(repository, by="Alice")
    asked = ScheduleRequest(
        name="proof",
        subject="sales",
        work=Work.DRILL,
        parameters={"repository": "offsite"},
        window=WindowRequest(days="SUN", begin="04:00", minutes=60, time_zone="UTC", blackouts=()),
    )
    made = add_schedule(appliance, asked, requested_by="Alice", now=NOON)
    assert made.parameters == {"repository": "offsite"}
    with pytest.raises(NotFound, match="There is no repository 'nowhere'"):
        add_schedule(appliance, replace(asked, name="other", parameters={"repository": "nowhere"}), requested_by="Alice", now=NOON)
    with pytest.raises(InvalidRequest, match="not marked in a received log"):
        add_schedule(appliance, replace(asked, name="other", parameters={"way": "log"}), requested_by="Alice", now=NOON)
