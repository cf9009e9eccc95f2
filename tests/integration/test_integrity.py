"""What is on the disk and in the repositories against what the appliance knows: losses are named, and nothing more is given up."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.instance import RecoveryPoint
from appliance.domain.operation import OperationStatus
from appliance.errors import InvalidRequest, StepFailed
from appliance.operations.kinds.backup import give_up
from appliance.operations.kinds.check import accept, check
from appliance.operations.repositories import add_repository
from appliance.operations.run import Run
from appliance.operations.steps.comparing import compare_files
from appliance.operations.steps.elsewhere import copy_elsewhere
from appliance.operations.steps.repositories import lent
from appliance.wiring import Appliance
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.operating import make_appliance
from tests.support.rest_server import PASSWORD, USER, append_only_server, free_port
from tests.support.web_world import add_sales

LONG_AGO = 1_700_000_000
FILES = 20


@dataclass(frozen=True, kw_only=True)
class Crm:
    """An appliance with a CRM that has uploads and recovery points of them."""

    appliance: Appliance
    uploads: Path
    elsewhere: Path

    def run(self, kind: str, **parameters: Any) -> Run:
        """Begin an operation; the one before has ended."""
        journal = self.appliance.store.operations
        for one in journal.list(status=[OperationStatus.QUEUED]):
            journal.finish(one.id, OperationStatus.FAILED, now=now())
        recorded = journal.record(kind=kind, instance="sales", parameters=parameters, steps=[(kind, kind)], requested_by="Alice", now=now())
        told: dict[str, Any] = {"step": kind, "interrupted": False, "cancellable": False}
        return Run(appliance=self.appliance, operation=recorded, now=now, end_children_here=lambda: None, **told)

    def check(self, **parameters: Any) -> Run:
        return self.run("check", **accept(self.appliance, "sales", parameters))

    def back_up(self, *points: str) -> None:
        run = self.run("backup")
        for point in points:
            with lent(run, "local") as repository:
                told = {"repository": repository, "crm": "sales", "point": point, "database": None, "paths": [str(self.uploads)]}
                record = run.backup("backup", told)
            at = datetime.fromisoformat(record["at"])
            self.appliance.store.points.add(RecoveryPoint(id=point, instance="sales", at=at, repository="local", record=record))

    def copy(self) -> None:
        """Copy everything elsewhere, by a backup that succeeds."""
        run = self.run("backup")
        journal, ended = self.appliance.store.operations, OperationStatus.FAILED
        journal.claim(now=now())
        try:
            copy_elsewhere(run)
            ended = OperationStatus.SUCCEEDED
        finally:
            journal.finish(run.operation.id, ended, now=now())

    def lose(self, repository: str, *points: str) -> None:
        """What somebody does who has the password of a repository and its disk."""
        run = self.run("check")
        told = {"crm": "sales", "points": list(points), "prune": False}
        with lent(run, "local") as spec:
            location = spec["location"] if repository == "local" else str(self.elsewhere)
            password = Path(spec["password_file"])
            password.write_text(self.appliance.store.vault.get(f"repository:{repository}", "password") or "")
            run.backup("forget", {"repository": {"location": location, "password_file": str(password)}, **told})


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Appliance, Path]:
    """An appliance whose repository is made, to copy."""
    folder = tmp_path_factory.mktemp("empty")
    appliance = make_appliance(folder)
    crm = Crm(appliance=appliance, uploads=folder, elsewhere=folder)
    run = crm.run("backup")
    with lent(run, "local") as repository:
        run.backup("init", {"repository": repository})
    make_opening_cheap(appliance.settings.repository_directory, appliance.store.vault.get("repository:local", "password") or "")
    return appliance, folder


@pytest.fixture
def crm(empty: tuple[Appliance, Path], tmp_path: Path) -> Crm:
    appliance = make_appliance(tmp_path)
    shutil.copytree(empty[0].settings.repository_directory, appliance.settings.repository_directory)
    appliance.store.vault.put("repository:local", "password", empty[0].store.vault.get("repository:local", "password") or "")
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    for number in range(FILES):
        (uploads / f"{number}.txt").write_text(f"upload {number}")
        os.utime(uploads / f"{number}.txt", (LONG_AGO, LONG_AGO))
    add_sales(appliance)
    store = appliance.store
    store.points.forget([point.id for point in store.points.all()])
    deployment = store.instances.get("sales").deployment
    assert deployment is not None
    store.instances.serve("sales", replace(deployment, files=str(uploads)), previous=None)
    return Crm(appliance=appliance, uploads=uploads, elsewhere=tmp_path / "elsewhere" / "crm")


@pytest.fixture(params=["kept"])
def copied(crm: Crm, request: pytest.FixtureRequest) -> Iterator[Crm]:
    """The same with a repository elsewhere, which everything was copied to; and which was lost, where a test says so."""
    password = crm.appliance.store.vault.get("repository:local", "password") or ""
    secrets = {"RESTIC_REST_USERNAME": USER, "RESTIC_REST_PASSWORD": PASSWORD, "password": password}
    shutil.copytree(crm.appliance.settings.repository_directory, crm.elsewhere)
    port = free_port()
    location = f"rest:http://127.0.0.1:{port}/crm/"
    add_repository(crm.appliance, name="offsite", location=location, secrets=secrets, requested_by="Alice", now=now())
    crm.back_up("p1", "p2")
    with append_only_server(crm.elsewhere.parent, port=port):
        crm.copy()
    if request.param == "lost":
        shutil.rmtree(crm.elsewhere)
    with append_only_server(crm.elsewhere.parent, port=port):  # it remembers what lay there when it was started
        yield crm


def test_live_files_are_as_they_were_saved_or_were_written_since(crm: Crm) -> None:
    crm.back_up("p1")
    (crm.uploads / "3.txt").write_text("written since")
    told = compare_files(crm.check())
    assert told.startswith(
        f"{FILES - 1} files that were not written since recovery point p1: {FILES - 1} are as they were saved, 0 missing"
    )
    assert "1 were written since" in told


def test_what_is_lost_or_was_changed_unseen_fails_the_check_by_name_beyond_what_is_tolerated(crm: Crm) -> None:
    crm.back_up("p1")
    (crm.uploads / "1.txt").unlink()
    assert "1 missing" in compare_files(crm.check())
    (crm.uploads / "2.txt").write_text("upload X")
    os.utime(crm.uploads / "2.txt", (LONG_AGO, LONG_AGO))
    with pytest.raises(StepFailed, match=r"1 missing \(\S+/1\.txt\), 1 with other content \(\S+/2\.txt\).* More than 5 % is not tolerated"):
        compare_files(crm.check())
    assert "1 with other content" in compare_files(crm.check(tolerated_percent=10))
    assert compare_files(crm.check(sample=0)) == "not asked for"


def test_files_of_which_no_point_is_there_yet_are_not_compared(crm: Crm) -> None:
    assert compare_files(crm.check()) == "no recovery point holds the files that serve yet"


def test_nothing_is_given_up_where_points_have_gone_that_nobody_gave_up(crm: Crm) -> None:
    crm.back_up("p1", "p2", "p3", "p4")
    crm.lose("local", "p3")
    assert "1 recovery points that nobody gave up are gone from it (p3)" in give_up(crm.run("backup", keep={"last": 3}))
    assert [point.id for point in crm.appliance.store.points.list("sales")] == ["p4", "p3", "p2", "p1"]
    with pytest.raises(StepFailed, match="The repository local has shrunk"):
        check(crm.check(data="none"))
    assert "whole" in check(crm.check(data="none", accept_loss=True))
    assert give_up(crm.run("backup", keep={"last": 2})).startswith("1 recovery points were given up, 2 are kept")


def test_what_has_gone_elsewhere_is_told_and_copied_again_before_anything_is_given_up_there(copied: Crm) -> None:
    copied.lose("offsite", "p1")
    with pytest.raises(StepFailed, match="The repository offsite has shrunk"):
        check(copied.check(data="none"))
    copied.back_up("p3")
    with pytest.raises(StepFailed, match=r"gone from it \(p1\).*copied there again, and nothing was given up there"):
        copied.copy()
    assert not copied.appliance.store.repositories.get("offsite").works
    assert "whole" in check(copied.check(data="none"))
    copied.copy()
    assert copied.appliance.store.repositories.get("offsite").works


@pytest.mark.parametrize("copied", ["lost"], indirect=True)
def test_a_repository_elsewhere_that_is_gone_as_a_whole_has_shrunk(copied: Crm) -> None:
    with pytest.raises(StepFailed, match="2 recovery points that nobody gave up are gone"):
        copied.copy()


def test_what_was_never_copied_has_not_gone(copied: Crm) -> None:
    copied.back_up("p3")
    assert "whole" in check(copied.check(data="none"))


def test_what_is_asked_of_a_check_has_limits(crm: Crm) -> None:
    for wrong in ({"sample": 401}, {"sample": -1}, {"tolerated_percent": 101}):
        with pytest.raises(InvalidRequest, match="Nothing was changed"):
            crm.check(**wrong)
