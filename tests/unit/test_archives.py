"""Every change of a CRM is kept: which moments can be asked for, what they need, and what follows a switch."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from appliance.cli import app
from appliance.cli.backups import read_moment
from appliance.domain.instance import Archive, InstanceState, RecoveryPoint
from appliance.domain.objectives import Objectives
from appliance.domain.operation import OperationStatus
from appliance.domain.repository import Repository
from appliance.domain.schedule import ScheduleRequest, Work
from appliance.domain.window_request import WindowRequest
from appliance.errors import InvalidRequest
from appliance.operations.archives import REPLAY_SHARE, REPLAYED_BYTES_PER_SECOND, Archives, follow_switches, save_bases
from appliance.operations.pausing import pause_all, resume_all
from appliance.operations.requesting import request
from appliance.operations.schedules import add_schedule
from appliance.operations.steps.archiving import relays_to
from appliance.operations.steps.copying import choose
from appliance.wiring import Appliance
from monitoring.facts import LOG_REPLAYED
from monitoring.ledger import Ledger
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales, deployment

ARCHIVE = Archive(deployment="0001-2.7.13", spool="/srv/crm/sales/archive/0001-9", database={"name": "crm", "port": 5500})


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    made.store.instances.archive("sales", ARCHIVE)
    return made


def chosen(appliance: Appliance, **wanted: Any) -> dict[str, Any]:
    return choose(appliance, "sales", **{"point": None, "at": None, "way": None, **wanted})


def test_an_archive_is_remembered_until_it_is_ended(appliance: Appliance) -> None:
    assert appliance.store.instances.get("sales").archive == ARCHIVE
    appliance.store.instances.archive("sales", None)
    assert appliance.store.instances.get("sales").archive is None


def test_a_recovery_point_is_restored_from_its_dump_unless_its_log_is_asked_for(appliance: Appliance) -> None:
    assert chosen(appliance) == {"point": "sales-2", "way": "dump"}
    record = {"product": "creme", "release": "2.7.13", "wal": {"log": "l", "restore_point": "sales/3", "lsn": "0/1", "exact": True}}
    appliance.store.points.add(RecoveryPoint(id="sales-3", instance="sales", at=NOON, repository="local", record=record))
    assert chosen(appliance, way="log") == {"point": "sales-3", "way": "log"}
    with pytest.raises(InvalidRequest, match="sales-1 is not marked in a received log"):
        chosen(appliance, point="sales-1", way="log")


@pytest.mark.parametrize(("hours_ago", "files_of"), [(9, "sales-1"), (8, "sales-1"), (7.5, "sales-2"), (1, "sales-2")])
def test_a_moment_takes_its_files_from_the_first_recovery_point_after_it(appliance: Appliance, hours_ago: float, files_of: str) -> None:
    assert chosen(appliance, at=NOON - timedelta(hours=hours_ago)) == {"point": files_of, "way": "log"}


def test_as_late_as_possible_takes_the_newest_files(appliance: Appliance) -> None:
    assert chosen(appliance, at="latest") == {"point": "sales-2", "way": "log"}


@pytest.mark.parametrize("wanted", [{"point": "sales-1"}, {"way": "dump"}])
def test_a_moment_is_not_in_a_dump(appliance: Appliance, wanted: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="by the log"):
        chosen(appliance, at=NOON, **wanted)


def test_the_log_of_what_serves_after_a_switch_is_asked_for_once(appliance: Appliance) -> None:
    assert follow_switches(appliance, NOON) == []
    appliance.store.instances.serve("sales", deployment("2.8.6", "2.8"), previous=deployment("2.7.13", "2.7"))
    assert follow_switches(appliance, NOON) == ["sales"]
    (operation,) = appliance.store.operations.list()
    assert (operation.kind, operation.parameters, operation.requested_by) == ("archive", {"wanted": True, "afresh": False}, "the appliance")
    assert follow_switches(appliance, NOON) == []


def test_a_repository_that_was_added_or_set_up_anew_gets_the_log_too(appliance: Appliance) -> None:
    offsite = Repository(name="offsite", location="rest:https://nas:8000/crm/", created_at=NOON)
    appliance.store.repositories.add(offsite, by="Alice")
    assert follow_switches(appliance, NOON) == ["sales"]
    appliance.store.operations.finish(1, OperationStatus.SUCCEEDED, now=NOON)
    appliance.store.instances.archive("sales", replace(ARCHIVE, relays=relays_to(appliance)))
    assert follow_switches(appliance, NOON) == []
    appliance.store.repositories.remove("offsite", by="Alice", now=NOON)
    appliance.store.repositories.add(replace(offsite, created_at=NOON + timedelta(hours=1)), by="Alice")
    assert follow_switches(appliance, NOON) == ["sales"]


def test_what_has_failed_is_tried_again_after_a_quarter_of_an_hour_since_changes_are_at_stake(appliance: Appliance) -> None:
    appliance.store.instances.serve("sales", deployment("2.8.6", "2.8"), previous=None)
    follow_switches(appliance, NOON)
    appliance.store.operations.finish(1, OperationStatus.FAILED, now=NOON, cause="no space", next_action="make room")
    assert follow_switches(appliance, NOON + timedelta(minutes=14)) == []
    assert follow_switches(appliance, NOON + timedelta(minutes=16)) == ["sales"]


def based(appliance: Appliance) -> None:
    """A base of noon."""
    request(appliance, "archive", "sales", {}, requested_by="Alice", now=NOON)
    appliance.store.operations.finish(1, OperationStatus.SUCCEEDED, now=NOON)


def test_a_new_base_is_saved_each_day_by_itself(appliance: Appliance) -> None:
    assert save_bases(appliance, NOON) == []
    based(appliance)
    assert save_bases(appliance, NOON + timedelta(hours=23)) == []
    assert save_bases(appliance, NOON + timedelta(hours=24)) == ["sales"]
    assert save_bases(appliance, NOON + timedelta(hours=24)) == [], "it is at work"
    appliance.store.operations.finish(2, OperationStatus.FAILED, now=NOON, cause="no space", next_action="make room")
    assert save_bases(appliance, NOON + timedelta(hours=43)) == []
    assert save_bases(appliance, NOON + timedelta(hours=45)) == ["sales"]


def test_a_new_base_is_saved_sooner_where_replaying_would_break_the_promise(appliance: Appliance) -> None:
    based(appliance)
    appliance.store.instances.promise("sales", Objectives(rto=timedelta(minutes=10)), by="Alice", now=NOON)
    bearable = REPLAY_SHARE * 600 * REPLAYED_BYTES_PER_SECOND
    appliance.settings.ledger_file.parent.mkdir(parents=True)
    with Ledger(appliance.settings.ledger_file) as ledger:
        ledger.tell_facts(LOG_REPLAYED, {("sales", ""): bearable})
        assert save_bases(appliance, NOON + timedelta(hours=2)) == []
        ledger.tell_facts(LOG_REPLAYED, {("sales", ""): bearable + 1})
    assert save_bases(appliance, NOON + timedelta(minutes=59)) == [], "the last one is not an hour old"
    assert save_bases(appliance, NOON + timedelta(hours=2)) == ["sales"]


def test_a_base_is_left_to_its_schedule_and_to_who_has_paused_them(appliance: Appliance) -> None:
    based(appliance)
    late = NOON + timedelta(days=3)
    pause_all(appliance, reason="", length=None, by="Alice", now=NOON)
    assert save_bases(appliance, late) == []
    resume_all(appliance, by="Alice", now=NOON)
    window = WindowRequest(days="SUN", begin="02:00", minutes=60, time_zone="UTC")
    asked = ScheduleRequest(name="bases", subject="sales", window=window, work=Work.ARCHIVE)
    add_schedule(appliance, asked, requested_by="Alice", now=NOON)
    assert save_bases(appliance, late) == []
    appliance.store.schedules.remove("bases", by="Alice", now=NOON)
    appliance.store.instances.archive("sales", None)
    assert save_bases(appliance, late) == []


@pytest.mark.parametrize("state", [InstanceState.REMOVING, InstanceState.INSTALLING])
def test_what_does_not_serve_is_left_alone(appliance: Appliance, state: InstanceState) -> None:
    appliance.store.instances.serve("sales", deployment("2.8.6", "2.8"), previous=None)
    appliance.store.instances.mark("sales", state)
    assert follow_switches(appliance, NOON) == []


def test_a_look_is_taken_while_nothing_else_is_done(appliance: Appliance) -> None:
    appliance.store.instances.serve("sales", deployment("2.8.6", "2.8"), previous=None)
    archives = Archives(monotonic=lambda: 0.0)
    archives.look(appliance, NOON, idle=False)
    assert appliance.store.operations.list() == []
    archives.look(appliance, NOON, idle=True)
    assert len(appliance.store.operations.list()) == 1


def test_a_moment_on_the_command_line_is_in_this_machine_s_zone_unless_it_says_another(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_moment("latest") == "latest"
    assert read_moment("2026-03-02 12:00+02:00") == "2026-03-02T12:00:00+02:00"
    here = datetime.fromisoformat(read_moment("2026-03-02 12:00"))
    assert here == datetime(2026, 3, 2, 12).astimezone()
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    CliRunner().invoke(app, ["restore", "sales", "--at", "2026-03-02 05:00+00:00", "--yes", "--detach"], catch_exceptions=False)
    assert appliance.store.operations.get(1).parameters["at"] == "2026-03-02T05:00:00Z"
    with pytest.raises(InvalidRequest, match="'yesterday' is no moment"):
        read_moment("yesterday")


@pytest.mark.parametrize("options", [["--at", "latest"], ["--to", "sales-2"]])
def test_a_restore_in_place_is_requested_when_the_name_was_typed(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    words = ["restore", "sales", *options, "--detach"]
    with pytest.raises(InvalidRequest, match="The name was not repeated"):
        CliRunner().invoke(app, words, input="sale\n", catch_exceptions=False)
    assert CliRunner().invoke(app, words).exit_code == 1, "nobody is there to type it"
    assert appliance.store.operations.list() == []
    typed = CliRunner().invoke(app, words, input="sales\n", catch_exceptions=False)
    assert ("could not be counted" in typed.stdout) is ("--to" in options), "there is no such CRM on this machine"
    assert [one.kind for one in appliance.store.operations.list()] == ["restore"]


def test_an_unknown_recovery_point_is_refused_before_a_name_is_asked_for(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    with pytest.raises(InvalidRequest, match="nosuch"):
        CliRunner().invoke(app, ["restore", "sales", "--to", "nosuch"], catch_exceptions=False)


def test_the_state_of_an_archive_is_shown(appliance: Appliance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "/nonexistent")
    monkeypatch.setenv("APPLIANCE_HOME", str(appliance.settings.home))
    shown = CliRunner().invoke(app, ["instance", "show", "sales"], catch_exceptions=False).stdout
    assert "every change is kept" in shown
    kept = json.loads(CliRunner().invoke(app, ["instance", "show", "sales", "--json"], catch_exceptions=False).stdout)
    assert kept["archive"]["deployment"] == ARCHIVE.deployment
    assert datetime.fromisoformat(kept["created_at"]).astimezone(UTC) < NOON
