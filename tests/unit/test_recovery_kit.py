"""The recovery kit: what is in it, what it opens, and what becomes of CRMs whose machine was lost."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.instance import Archive, InstanceState, RecoveryPoint
from appliance.domain.kit import read_kit, text_of
from appliance.domain.operation import OperationStatus
from appliance.errors import Conflict, InvalidRequest
from appliance.operations import lost
from appliance.operations.kinds.remove import REMOVE
from appliance.operations.kits import kit_password, opened_state, recovery_kit, sealed_state, state_key
from appliance.operations.repositories import add_repository
from appliance.operations.requesting import request
from appliance.operations.run import Run
from appliance.setup import recover
from appliance.setup.main_job import Job
from appliance.setup.progress import Progress
from appliance.store.state import put_back
from appliance.wiring import Appliance, open_appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales

LOCATION = "sftp://crm@nas.example.org//srv/crm"
KEY = '-----BEGIN OPENSSH PRIVATE KEY-----\nab"c\\d"""e\n-----END OPENSSH PRIVATE KEY-----\n'


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    secrets = {"password": "of the worker", "ssh_key": KEY, "known_hosts": "nas ssh-ed25519 AAAA\n", "RESTIC_REST_PASSWORD": "s\n"}
    add_repository(made, name="offsite", location=LOCATION, secrets=secrets, requested_by="Alice", now=NOON)
    return made


def test_there_is_none_before_anything_could_be_recovered_with_it(appliance: Appliance) -> None:
    with pytest.raises(Conflict, match="no backup has reached one yet"):
        recovery_kit(appliance, NOON)


def test_it_is_read_as_it_was_written(appliance: Appliance) -> None:
    appliance.store.repositories.keep_state("offsite", now=NOON)
    kit = recovery_kit(appliance, NOON)
    assert read_kit(text_of(kit)) == kit
    offsite = kit.repositories["offsite"]
    assert (offsite.location, offsite.password) == (LOCATION, kit_password(appliance, "offsite"))
    assert offsite.password != "of the worker"
    assert offsite.secrets == {"ssh_key": KEY, "known_hosts": "nas ssh-ed25519 AAAA\n", "RESTIC_REST_PASSWORD": "s"}
    assert recovery_kit(appliance, NOON) == kit


def test_what_is_no_kit_is_refused(appliance: Appliance) -> None:
    appliance.store.repositories.keep_state("offsite", now=NOON)
    text = text_of(recovery_kit(appliance, NOON))
    for wrong in (
        "",
        "not toml =",
        text.replace("state_key", "sate_key"),
        text.replace("format = 1", "format = 2"),
        text[: len(text) // 2],
    ):
        with pytest.raises(InvalidRequest, match="Nothing was changed"):
            read_kit(wrong)


def test_only_its_key_opens_the_state(appliance: Appliance, tmp_path: Path) -> None:
    sealed = sealed_state(appliance, NOON)
    opened = opened_state(sealed, state_key(appliance))
    assert (opened.made_at, opened.audit) == (NOON, appliance.store.audit.head())
    recovered = make_appliance(tmp_path / "recovered")
    put_back(recovered.settings, opened, settle=True, now=NOON)
    assert state_key(open_appliance(recovered.settings)) == state_key(appliance)
    other = make_appliance(tmp_path / "other")
    for wrong in (state_key(other), "no key"):
        with pytest.raises(InvalidRequest, match="does not open"):
            opened_state(sealed, wrong)
    with pytest.raises(InvalidRequest, match="does not open"):
        opened_state(sealed[:-9], state_key(appliance))


def test_every_crm_of_a_lost_machine_is_asked_for_from_its_newest_point_elsewhere(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    appliance.store.instances.ask_approval("demo", wanted=True, by="Alice", now=NOON)
    appliance.store.instances.archive("demo", Archive(deployment="d1", spool="/spool", database={}))
    newest, new, *old = (point.id for point in appliance.store.points.list("demo"))
    assert lost.request_back(appliance, "offsite", [new, *old], NOON) == []
    demo = appliance.store.instances.get("demo")
    assert (demo.state, demo.deployment, demo.archive, demo.asks_approval) == (InstanceState.LOST, None, None, True)
    assert [(point.id, point.repository) for point in appliance.store.points.list("demo")] == [(id_, "offsite") for id_ in (new, *old)]
    (asked,) = lost.requested(appliance)
    assert (asked.kind, asked.instance, asked.parameters["point"]) == ("restore-beside", "demo", new)
    assert (asked.parameters["repository"], asked.parameters["port"]) == ("offsite", demo.port)
    assert newest not in {point.id for point in appliance.store.points.all()}


def test_one_of_which_nothing_is_elsewhere_stays_lost(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    assert lost.request_back(appliance, "offsite", [], NOON) == ["demo"]
    assert appliance.store.instances.get("demo").is_lost
    assert lost.requested(appliance) == []


def test_what_was_at_work_on_the_machine_holds_nothing_any_more(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    point = appliance.store.points.list("demo")[0].id
    record = appliance.store.operations.record
    backup = record(kind="backup", instance="demo", parameters={}, steps=[("backup", "Back up")], requested_by="Alice", now=NOON)
    lost.request_back(appliance, "offsite", [point], NOON)
    ended = appliance.store.operations.get(backup.id)
    assert (ended.status, ended.cause) == (OperationStatus.FAILED, lost.AT_WORK)
    (asked,) = lost.requested(appliance)
    assert lost.ask_again(appliance, asked, NOON) == asked
    appliance.store.operations.finish(asked.id, OperationStatus.ROLLED_BACK, now=NOON)
    again = lost.ask_again(appliance, appliance.store.operations.get(asked.id), NOON)
    assert (again.id > asked.id, again.parameters) == (True, asked.parameters)
    assert lost.requested(appliance) == [again]


def test_one_whose_every_change_was_kept_comes_back_by_its_log_or_else_by_its_newest_point(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    record = {"product": "creme", "release": "2.7.13", "wal": {"log": "l", "restore_point": "demo/3", "lsn": "0/1", "exact": True}}
    appliance.store.points.add(RecoveryPoint(id="demo-3", instance="demo", at=NOON, repository="local", record=record))
    lost.request_back(appliance, "offsite", ["demo-3"], NOON)
    (asked,) = lost.requested(appliance)
    assert (asked.parameters["at"], asked.parameters["way"], asked.parameters["point"]) == ("latest", "log", "demo-3")
    assert lost.ask_for_the_point(appliance, asked, NOON) is None
    appliance.store.operations.finish(asked.id, OperationStatus.ROLLED_BACK, now=NOON)
    other = lost.ask_for_the_point(appliance, appliance.store.operations.get(asked.id), NOON)
    assert other is not None
    assert (other.parameters["at"], other.parameters["way"], other.parameters["point"]) == (None, "dump", "demo-3")
    appliance.store.operations.finish(other.id, OperationStatus.FAILED, now=NOON)
    assert lost.ask_for_the_point(appliance, appliance.store.operations.get(other.id), NOON) is None


def test_one_that_stays_lost_can_be_forgotten(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    lost.request_back(appliance, "offsite", [], NOON)
    asked = request(appliance, "remove", "demo", {}, requested_by="Alice", now=NOON)
    told: dict[str, Any] = {"step": "", "interrupted": False, "cancellable": False}
    run = Run(appliance=appliance, operation=asked, now=lambda: NOON, end_children_here=lambda: None, **told)
    for step in REMOVE.steps:
        step.run(run)
    assert appliance.store.instances.find("demo") is None


def test_what_somebody_stopped_removed_or_brought_back_is_not_asked_for_again(appliance: Appliance) -> None:
    for slot, name in enumerate(("demo", "gone")):
        add_sales(appliance, name=name, slot=slot)
    lost.request_back(appliance, "offsite", [point.id for point in appliance.store.points.all()], NOON)
    demo, gone = lost.requested(appliance)
    appliance.store.operations.finish(demo.id, OperationStatus.FAILED, now=NOON)
    demo = appliance.store.operations.get(demo.id)
    assert not lost.is_back(appliance, demo)
    appliance.store.instances.mark("demo", InstanceState.ACTIVE)
    assert lost.is_back(appliance, demo)
    appliance.store.operations.finish(gone.id, OperationStatus.CANCELLED, now=NOON)
    assert lost.ask_for_the_point(appliance, replace(appliance.store.operations.get(gone.id), parameters={"at": "latest"}), NOON) is None
    appliance.store.instances.remove("gone")
    assert [one.instance for one in lost.requested(appliance)] == ["demo"]


def test_a_crm_that_is_back_already_is_left_alone_and_named(appliance: Appliance) -> None:
    add_sales(appliance, name="demo")
    lost.request_back(appliance, "offsite", [point.id for point in appliance.store.points.all()], NOON)
    (asked,) = lost.requested(appliance)
    appliance.store.operations.finish(asked.id, OperationStatus.ROLLED_BACK, now=NOON)
    appliance.store.instances.mark("demo", InstanceState.ACTIVE)
    progress = Progress(total=1, stream=io.StringIO())
    assert recover.bring_back(Job(appliance=appliance, progress=progress)) == ["demo"]
    assert lost.requested(appliance) == [appliance.store.operations.get(asked.id)]


def test_what_stops_a_recovery_says_how_it_goes_on_and_never_to_begin_an_appliance_anew(appliance: Appliance, tmp_path: Path) -> None:
    kit, told = tmp_path / "kit.toml", io.StringIO()
    kit.write_text("mistyped")
    assert recover.run(appliance.settings, kit, Progress(total=recover.STEPS, stream=told)) == 2
    assert "failed: Reading the recovery kit." in told.getvalue()
    assert f"then run bin/up --recover {kit} again" in told.getvalue()
    assert "run bin/up again" not in told.getvalue()
