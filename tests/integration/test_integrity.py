"""What is on the disk and in the repositories against what the appliance knows: losses are named, and nothing more is given up."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import InvalidRequest, StepFailed
from appliance.operations.kinds.backup import give_up
from appliance.operations.kinds.check import check
from appliance.operations.steps.comparing import compare_files
from appliance.wiring import Appliance
from tests.support.kept_crm import FILES, LONG_AGO, KeptCrm, give_elsewhere, make_empty, make_kept
from tests.support.rest_server import append_only_server


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Appliance:
    return make_empty(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def crm(empty: Appliance, tmp_path: Path) -> KeptCrm:
    return make_kept(empty, tmp_path)


@pytest.fixture(params=["kept"])
def copied(crm: KeptCrm, request: pytest.FixtureRequest) -> Iterator[KeptCrm]:
    """The same with a repository elsewhere, which everything was copied to; and which was lost, where a test says so."""
    port = give_elsewhere(crm)
    crm.back_up("p1", "p2")
    with append_only_server(crm.elsewhere.parent, port=port):
        crm.copy()
    if request.param == "lost":
        shutil.rmtree(crm.elsewhere)
    with append_only_server(crm.elsewhere.parent, port=port):  # it remembers what lay there when it was started
        yield crm


def test_live_files_are_as_they_were_saved_or_were_written_since(crm: KeptCrm) -> None:
    crm.back_up("p1")
    (crm.uploads / "3.txt").write_text("written since")
    told = compare_files(crm.check())
    assert told.startswith(
        f"{FILES - 1} files that were not written since recovery point p1: {FILES - 1} are as they were saved, 0 missing"
    )
    assert "1 were written since" in told


def test_what_is_lost_or_was_changed_unseen_fails_the_check_by_name_beyond_what_is_tolerated(crm: KeptCrm) -> None:
    crm.back_up("p1")
    (crm.uploads / "1.txt").unlink()
    assert "1 missing" in compare_files(crm.check())
    (crm.uploads / "2.txt").write_text("upload X")
    os.utime(crm.uploads / "2.txt", (LONG_AGO, LONG_AGO))
    with pytest.raises(StepFailed, match=r"1 missing \(\S+/1\.txt\), 1 with other content \(\S+/2\.txt\).* More than 5 % is not tolerated"):
        compare_files(crm.check())
    assert "1 with other content" in compare_files(crm.check(tolerated_percent=10))
    assert compare_files(crm.check(sample=0)) == "not asked for"


def test_files_of_which_no_point_is_there_yet_are_not_compared(crm: KeptCrm) -> None:
    assert compare_files(crm.check()) == "no recovery point holds the files that serve yet"


def test_nothing_is_given_up_where_points_have_gone_that_nobody_gave_up(crm: KeptCrm) -> None:
    crm.back_up("p1", "p2", "p3", "p4")
    crm.lose("local", "p3")
    assert "1 recovery points that nobody gave up are gone from it (p3)" in give_up(crm.run("backup", keep={"last": 3}))
    assert [point.id for point in crm.appliance.store.points.list("sales")] == ["p4", "p3", "p2", "p1"]
    with pytest.raises(StepFailed, match="The repository local has shrunk"):
        check(crm.check(data="none"))
    assert "whole" in check(crm.check(data="none", accept_loss=True))
    assert give_up(crm.run("backup", keep={"last": 2})).startswith("1 recovery points were given up, 2 are kept")


def test_what_has_gone_elsewhere_is_told_and_copied_again_before_anything_is_given_up_there(copied: KeptCrm) -> None:
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
def test_a_repository_elsewhere_that_is_gone_as_a_whole_has_shrunk(copied: KeptCrm) -> None:
    with pytest.raises(StepFailed, match="2 recovery points that nobody gave up are gone"):
        copied.copy()


def test_what_was_never_copied_has_not_gone(copied: KeptCrm) -> None:
    copied.back_up("p3")
    assert "whole" in check(copied.check(data="none"))


def test_what_is_asked_of_a_check_has_limits(crm: KeptCrm) -> None:
    for wrong in ({"sample": 401}, {"sample": -1}, {"tolerated_percent": 101}):
        with pytest.raises(InvalidRequest, match="Nothing was changed"):
            crm.check(**wrong)
