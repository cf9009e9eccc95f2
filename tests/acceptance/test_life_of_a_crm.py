"""The main job on a real CRM, in the order of its life; the tests of this file go on where the one before has ended."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus
from appliance.operations.steps.repositories import repository_name, repository_scope
from appliance.operations.workflows import WORKFLOWS
from tests.conftest import NEW, OLD, Crm
from tests.support.house import wait_for
from tests.support.killing import carry_with_kills, failing_in

LOGIN = "/creme_login/"
REHEARSAL = "rehearsal-"


def steps_of(kind: str) -> list[str]:
    return [step.name for step in WORKFLOWS[kind].steps]


def serves(crm: Crm, release: str) -> bool:
    status, _, body = crm.house.get(LOGIN, port=crm.port)
    return status == 200 and f"Version {release}" in body


def test_an_install_survives_kill_9_in_each_of_its_steps(crm: Crm) -> None:
    assert crm.hit_while_installing == steps_of("install")
    assert serves(crm, OLD)


def test_the_default_account_has_no_default_password(crm: Crm) -> None:
    assert crm.records["counts"]["contacts"] >= 100
    assert len(crm.house.done("secret", crm.name, "admin_password").strip()) == 20


def test_a_backup_survives_kill_9_in_each_of_its_steps(crm: Crm) -> None:
    ended, hit = carry_with_kills(crm.house, "backup", crm.name, {}, seed=2)
    assert (ended.status, hit) == (OperationStatus.SUCCEEDED, steps_of("backup"))
    points = crm.house.appliance.store.points.list(crm.name)
    assert points[0].record["counts"] == crm.records["counts"]
    assert points[0].proven_at is None
    crm.house.make_opening_cheap()


def test_a_drill_proves_the_recovery_point_and_leaves_nothing(crm: Crm) -> None:
    crm.house.done("drill", crm.name)
    assert "proven" in crm.house.done("recovery-points", crm.name)
    assert not (crm.house.settings.crm_root / f"{crm.name}-drill").exists()


def flip_a_bit(file: Path) -> None:
    """In the middle; a second flip mends it."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


def test_a_bit_that_flipped_in_the_repository_is_found(crm: Crm) -> None:
    crm.house.done("check", crm.name)
    pack = max((crm.house.settings.repository_directory / "data").rglob("*"), key=lambda file: file.stat().st_size)
    flip_a_bit(pack)
    ended = crm.house.command("check", crm.name, "--data", "all")
    flip_a_bit(pack)
    assert ended.returncode == 1
    assert "The repository is damaged. Copy it before anything else" in " ".join(ended.stdout.split())
    assert "whole; data read: all" in " ".join(crm.house.done("check", crm.name, "--data", "all").split())


def rehearsed(crm: Crm) -> bool:
    """Whether anything of a rehearsal's copy is there."""
    return (crm.house.settings.crm_root / f"{crm.name}-rehearsal").exists()


@pytest.mark.parametrize("step", [step for step in steps_of("upgrade") if not step.startswith(REHEARSAL)])
def test_a_failure_in_any_step_of_an_upgrade_ends_with_the_old_release_serving_every_record(crm: Crm, step: str) -> None:
    with crm.house.own_worker_stopped(), failing_in(crm.house, step):
        ended = crm.house.command("upgrade", crm.name, "--to", NEW, "--no-rehearsal")
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    assert serves(crm, OLD)
    assert crm.house.records(crm.name) == crm.records


@pytest.mark.parametrize("step", ["rehearsal-restore", "rehearsal-verify"])
def test_a_failed_rehearsal_ends_an_upgrade_before_anybody_is_turned_away(crm: Crm, step: str) -> None:
    with crm.house.own_worker_stopped(), failing_in(crm.house, step):
        ended = crm.house.command("upgrade", crm.name, "--to", NEW)
    assert ended.returncode == 3, ended.stdout[-3000:] + ended.stderr
    assert "Rehearsal: " in ended.stdout
    assert "maintenance" not in begun(crm)
    assert serves(crm, OLD)
    assert not rehearsed(crm)


def begun(crm: Crm) -> list[str]:
    """Steps of the newest operation that were begun."""
    store = crm.house.appliance.store.operations
    return [step.name for step in store.get(store.list()[0].id).steps if step.started_at is not None]


def test_an_upgrade_survives_kill_9_in_each_of_its_steps_and_keeps_every_record(crm: Crm) -> None:
    ended, hit = carry_with_kills(crm.house, "upgrade", crm.name, {"to": NEW}, seed=3)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, steps_of("upgrade"))
    assert serves(crm, NEW)
    assert crm.house.records(crm.name) == crm.records
    assert "turn visitors away for about" in str(next(step.detail for step in ended.steps if step.name == "rehearsal-verify"))
    assert not rehearsed(crm)


def test_a_rollback_brings_code_and_data_back_and_says_what_it_leaves_behind(crm: Crm) -> None:
    crm.house.seed(crm.name)
    said = crm.house.done("rollback", crm.name)
    assert "left behind, and kept: +100 contacts" in " ".join(said.split())
    assert serves(crm, OLD)
    assert crm.house.records(crm.name) == crm.records


def test_a_restore_in_place_survives_kill_9_in_each_of_its_steps(crm: Crm) -> None:
    before = next(point for point in crm.house.appliance.store.points.list(crm.name) if point.record["release"] == OLD)
    crm.house.seed(crm.name)
    ended, hit = carry_with_kills(crm.house, "restore", crm.name, {"point": before.id}, seed=4)
    assert (ended.status, ended.cause, hit) == (OperationStatus.SUCCEEDED, None, steps_of("restore"))
    assert serves(crm, OLD)
    assert crm.house.records(crm.name) == crm.records
    newest = crm.house.appliance.store.points.list(crm.name)[0]
    assert newest.record["counts"]["contacts"] == crm.records["counts"]["contacts"] + 100


def test_a_restore_beside_is_a_new_crm_and_touches_nothing_of_the_old(crm: Crm) -> None:
    point = next(point for point in crm.house.appliance.store.points.list(crm.name) if point.proven_at)
    crm.house.done("restore", crm.name, "--to", point.id, "--as", "trial-copy")
    assert crm.house.records("trial-copy") == crm.records
    assert serves(crm, OLD)
    crm.house.done("instance", "remove", "trial-copy", "--yes", "--no-final-backup")
    assert not (crm.house.settings.crm_root / "trial-copy").exists()


def test_during_maintenance_visitors_are_told_when_to_come_back(crm: Crm) -> None:
    flag = crm.house.settings.crm_root / crm.name / "maintenance" / "maintenance.on"
    flag.touch()
    status, headers, _ = crm.house.get(LOGIN, port=crm.port)
    flag.unlink()
    assert (status, int(headers["retry-after"]) > 0) == (503, True)


def test_metrics_tell_what_was_done(crm: Crm) -> None:
    port = int(crm.house.settings.monitor_listen.rpartition(":")[2])
    wait_for(lambda: f'appliance_probe_up{{crm="{crm.name}",target="service"}} 1.0' in crm.house.get("/metrics", port=port)[2])
    metrics = crm.house.get("/metrics", port=port)[2]
    for name in ("backup_last_success_timestamp_seconds", "restore_drill_last_success_timestamp_seconds"):
        line = next(line for line in metrics.splitlines() if line.startswith(f"appliance_{name}{{") and f'crm="{crm.name}"' in line)
        assert time.time() - float(line.rpartition(" ")[2]) < 3600


def test_a_backup_gives_up_what_is_not_to_be_kept_but_never_what_was_proven_last(crm: Crm) -> None:
    proven = next(point.id for point in crm.house.appliance.store.points.list(crm.name) if point.proven_at)
    crm.house.done("backup", crm.name, "--keep", "last=1")
    kept = [point.id for point in crm.house.appliance.store.points.list(crm.name)]
    assert kept[1:] == [proven]
    assert in_repository(crm) == set(kept)


def in_repository(crm: Crm) -> set[str]:
    """The recovery points that any snapshot belongs to, asked of restic itself."""
    password = crm.house.appliance.store.vault.get(repository_scope(repository_name("localhost")), "password")
    argv = ["restic", "--repo", str(crm.house.settings.repository_directory), "--no-cache", "--no-lock", "--json"]
    told = {**os.environ, "RESTIC_PASSWORD": password}
    said = subprocess.run([*argv, "snapshots", "--tag", f"crm={crm.name}"], env=told, check=True, capture_output=True, text=True).stdout
    return {tag.removeprefix("point=") for snapshot in json.loads(said) for tag in snapshot["tags"] if tag.startswith("point=")}
