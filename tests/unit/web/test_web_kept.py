"""What pages say of backups over time: the calendar, what each added, what comes next, what will be given up; drills and promises."""

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.domain.instance import Archive, RecoveryPoint
from appliance.domain.objectives import Objectives, read_length
from appliance.domain.operation import OperationStatus
from appliance.domain.schedule import Schedule
from appliance.domain.window import Window
from appliance.errors import InvalidRequest
from appliance.web.charts import bars, calendar
from appliance.web.kept import kept_of
from appliance.web.timeline import timeline
from monitoring.facts import LOG_SHIPPED
from monitoring.ledger import Ledger
from tests.support.web_world import NOON, Browser, PanelWorld, end_operation, run_operation


def nightly(**changes: object) -> Schedule:
    known: dict[str, object] = {
        "name": "nightly",
        "subject": "sales",
        "kind": "backup",
        "window": Window(days="MON-SUN", begin="01:00", length=timedelta(hours=2)),
        "created_at": NOON,
        "dealt_with": NOON,
        "counted_from": NOON,
        "parameters": {"keep": {"last": 1}},
    }
    return Schedule(**(known | changes))  # type: ignore[arg-type]


def test_the_calendar_ends_with_this_week_and_tells_proven_days(world: PanelWorld) -> None:
    points = world.appliance.store.points.list("sales")
    weeks = calendar(points, NOON)
    days = [day for week in weeks for day in week]
    assert (len(weeks), {len(week) for week in weeks}, weeks[-1][0].date.isoweekday()) == (6, {7}, 1)
    today = next(day for day in days if day.date == NOON.date())
    assert (today.points, today.tone) == (2, "proven")
    assert {day.tone for day in days if day.date > NOON.date()} == {"to-come"}
    assert {day.tone for day in days if day.date < NOON.date()} == {"none"}


def test_bars_are_relative_to_the_highest() -> None:
    assert [(bar.percent, bar.tone) for bar in bars([(2.0, "a", ""), (4.0, "b", "missed")])] == [(50.0, ""), (100.0, "missed")]
    assert [bar.percent for bar in bars([(0.0, "nothing", "")])] == [0.0]
    assert len(bars([(1.0, "", "")] * 100)) == 40


def test_the_next_runs_and_what_they_give_up_are_said_beforehand(world: PanelWorld) -> None:
    store = world.appliance.store
    assert "no backup by itself" in kept_of(store, "sales", NOON).given_up
    store.schedules.add(nightly(), by="Alice")
    sundays = Window(days="SUN", begin="03:00", length=timedelta(hours=1))
    store.schedules.add(nightly(name="weekly", kind="drill", window=sundays), by="Alice")
    store.schedules.add(nightly(name="of-another", subject="support"), by="Alice")
    kept = kept_of(store, "sales", NOON)
    assert len(kept.coming) == 6
    assert [run.schedule.name for run in kept.coming].count("nightly") >= 5
    assert [run.at for run in kept.coming] == sorted(run.at for run in kept.coming)
    assert kept.given_up == "By last=1, none of the 2 recovery points would be given up now."
    store.points.add(RecoveryPoint(id="sales-3", instance="sales", at=NOON, repository="local", record={}))
    assert "1 of the 3 recovery points would be given up now" in kept_of(store, "sales", NOON).given_up


def test_what_keeps_retention_from_giving_up_is_said(world: PanelWorld) -> None:
    store = world.appliance.store
    store.schedules.add(nightly(), by="Alice")
    store.points.add(RecoveryPoint(id="sales-9", instance="sales", at=NOON + timedelta(days=9), repository="local", record={}))
    assert "a clock was stepped" in kept_of(store, "sales", NOON).given_up


def test_the_page_of_backups_shows_all_of_it(world: PanelWorld, victor: Browser) -> None:
    world.appliance.store.schedules.add(nightly(), by="Alice")
    page = victor.get("/backups").text
    for words in ('class="calendar"', "day-proven", 'class="bars"', "Next by itself", "nightly", "would be given up now"):
        assert words in page


def test_drills_are_shown_with_what_they_measured(world: PanelWorld, victor: Browser) -> None:
    assert "No drill yet" in victor.get("/drills").text
    store = world.appliance.store
    drill = run_operation(world.appliance, kind="drill")
    store.operations.remember(drill.id, {"facts": {"rto_seconds": 41.5, "data_age_seconds": 7200.0}})
    end_operation(world.appliance, drill.id, OperationStatus.SUCCEEDED)
    page = victor.get("/drills").text
    assert ("in service after 41 s" in page, "data was 2 h 0 min old" in page) == (True, True)
    assert "column-missed" not in page
    store.instances.promise("sales", Objectives(rto=timedelta(seconds=30)), by="Alice", now=NOON)
    assert "column-missed" in victor.get("/drills").text


def test_a_broken_promise_needs_attention(world: PanelWorld, victor: Browser, alice: Browser) -> None:
    store = world.appliance.store
    assert alice.post("/instances/sales/objectives", {"rpo": "24h", "rto": "1m"}).status_code == 303
    assert store.instances.get("sales").objectives == Objectives(rpo=timedelta(days=1), rto=timedelta(minutes=1))
    assert 'value="1d"' in alice.get("/instances/sales").text
    store.points.prove("sales-1", at=NOON, proof={"rto_seconds": 90.0})
    assert "took 1 min 30 s when it was tried last; 1 min 0 s is promised" in victor.get("/").text
    refused = alice.post("/instances/sales/objectives", {"rpo": "soon", "rto": ""})
    assert (refused.status_code, "is no length" in refused.text) == (422, True)
    assert store.instances.get("sales").objectives.rpo == timedelta(days=1)


def test_a_program_promises_too(world: PanelWorld) -> None:
    program = world.program_of("Alice")
    assert program.post("/api/v1/instances/sales/objectives", json={"rpo": "90m"}).status_code == 204
    assert program.get("/api/v1/instances/sales").json()["objectives"] == {
        "rpo": "90m",
        "rto": "",
        "availability": "",
        "latency": "",
        "latency_share": "",
    }
    assert program.post("/api/v1/instances/sales/objectives", json={"rpo": "0m"}).status_code == 422
    assert world.program_of("Oscar").post("/api/v1/instances/sales/objectives", json={}).status_code == 403


@pytest.mark.parametrize("wrong", ["1", "h", "-1h", "1 h", "367d", "30s", "1w"])
def test_what_is_no_length_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="is no length"):
        read_length(wrong, "rpo")


def test_how_long_and_how_fast_it_serves_is_promised_too(world: PanelWorld, alice: Browser) -> None:
    store, program = world.appliance.store, world.program_of("Alice")
    typed = {"rpo": "", "rto": "", "availability": "99.9 %", "latency": "800ms", "latency_share": "97,5"}
    assert alice.post("/instances/sales/objectives", typed).status_code == 303
    kept = store.instances.get("sales").objectives
    assert (kept.availability, kept.latency, kept.latency_share) == (0.999, timedelta(milliseconds=800), 0.975)
    page = alice.get("/instances/sales").text
    assert 'value="99.9"' in page
    assert "<option selected>800ms</option>" in page
    told = program.get("/api/v1/instances/sales").json()["objectives"]
    assert told == {"rpo": "", "rto": "", "availability": "99.9", "latency": "800ms", "latency_share": "97.5"}
    for wrong in ({"availability": "101"}, {"availability": "12"}, {"latency": "7s"}, {"latency_share": "most"}):
        assert program.post("/api/v1/instances/sales/objectives", json=wrong).status_code == 422
    assert store.instances.get("sales").objectives == kept


def test_a_program_and_the_command_line_ask_what_would_be_given_up(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    address, program = "/api/v1/instances/sales/retention", world.program_of("Victor")
    world.appliance.store.points.add(RecoveryPoint(id="sales-3", instance="sales", at=NOON, repository="local", record={}))
    told = program.get(f"{address}?keep=last=1").json()
    kept = [(one["point"], one["reasons"]) for one in told["points"]]
    assert kept == [
        ("sales-3", ["last"]),
        ("sales-2", []),
        ("sales-1", ["last proven"]),
    ]
    assert told["refused"] == ""
    assert [program.get(f"{address}?keep={keep}").status_code for keep in ("often", "last=0")] == [422, 422]
    assert program.get("/api/v1/instances/never-was/retention?keep=last=1").status_code == 404
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))
    said = CliRunner().invoke(app, ["backup", "sales", "--keep", "last=1", "--preview"], catch_exceptions=False).stdout
    assert "sales-2" in said
    assert "no: it would be given up" in " ".join(said.split())
    assert world.operations() == []
    assert len(world.appliance.store.points.list("sales")) == 3


def marked(days_ago: float, log: str | None) -> RecoveryPoint:
    at = NOON - timedelta(days=days_ago)
    record = {"wal": {"log": log, "lsn": "0/1", "restore_point": "p", "exact": True}} if log else {}
    return RecoveryPoint(id=f"marked-{days_ago}", instance="sales", at=at, repository="local", record=record)


def test_the_time_line_shows_points_and_where_every_change_was_kept() -> None:
    points = [marked(20, "a"), marked(10, "a"), marked(9, None), marked(7, "b"), marked(3.5, "b")]
    line = timeline(points, NOON, shipped_until=NOON - timedelta(hours=12))
    assert [tick.x for tick in line.ticks] == [285.7, 357.1, 500.0, 750.0]
    assert [(stretch.x, stretch.width) for stretch in line.stretches] == [(0.0, 285.7), (500.0, 464.3)]
    assert line.newest is not None
    assert (line.newest.begins, line.newest.ends) == (NOON - timedelta(days=7), NOON - timedelta(hours=12))
    assert timeline([marked(1, None)], NOON, shipped_until=NOON).newest is None


def test_the_page_draws_the_time_line_as_far_as_every_change_was_shipped(world: PanelWorld, victor: Browser, oscar: Browser) -> None:
    store = world.appliance.store
    store.points.add(marked(1, "a"))
    assert "Every change was kept" not in victor.get("/backups").text
    store.instances.archive("sales", Archive(deployment="0001-2.7.13", spool="/s", database={}))
    world.appliance.settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    with Ledger(world.appliance.settings.ledger_file) as ledger:
        until = {("sales", "local"): (NOON - timedelta(minutes=1)).timestamp(), ("sales", "offsite"): 0.0}
        ledger.tell_facts(LOG_SHIPPED, until)
    page = oscar.get("/backups").text
    assert "Every change was kept from 2026-03-01 12:00:00 UTC to 2026-03-02 11:59:00 UTC" in page
    assert '<a href="/instances/sales/restore?point=marked-1"><rect class="timeline-point' in page
    assert '<a href="/instances/sales/restore?point=marked-1"><rect' not in victor.get("/backups").text


def test_programs_and_the_command_line_get_what_drills_have_measured(world: PanelWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    store, program = world.appliance.store, world.program_of("Victor")
    for facts in ({"rto_seconds": 41.5, "data_age_seconds": 7200.0}, {}):
        drill = run_operation(world.appliance, kind="drill")
        store.operations.remember(drill.id, {"facts": facts} if facts else {})
        end_operation(world.appliance, drill.id, OperationStatus.SUCCEEDED if facts else OperationStatus.FAILED)
    failed, proven = program.get("/api/v1/drills?instance=sales").json()
    assert (proven["status"], proven["way"], proven["rto_seconds"], proven["data_age_seconds"]) == ("succeeded", "dump", 41.5, 7200.0)
    assert (failed["status"], failed["rto_seconds"]) == ("failed", None)
    assert program.get("/api/v1/drills?instance=other").json() == []
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(world.appliance.settings.home))
    monkeypatch.setenv("COLUMNS", "160")
    said = CliRunner().invoke(app, ["drills", "sales"], catch_exceptions=False).stdout
    assert [word in said for word in ("41 s", "2 h 0 min", "failed")] == [True] * 3
