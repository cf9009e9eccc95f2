"""Which locks are stale, who holds the lease, and which snapshots belong to no point."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backup.actions.restore import differences_between
from backup.engines.shape import Measures, count_from
from backup.failures import BackupFailure, RepositoryLocked
from backup.locks import Lock, is_stale, lease, lease_file
from backup.points import PointSnapshots, RecoveryPoint, Snapshot, claimed_twice, is_left_behind, leftovers_among, names_here, tags_of
from backup.recorded import Contents
from backup.tables import table_of_points

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def lock(**changes: object) -> Lock:
    return Lock.model_validate({"time": NOW, "hostname": "here", "pid": 77, **changes})


def process(proc: Path, program: str) -> Path:
    (proc / "77").mkdir()
    (proc / "77" / "exe").symlink_to(program)
    return proc


def point(name: str, **snapshots: str) -> RecoveryPoint:
    measured = {"counts": {"contacts": 3}, "checksums": {"contacts": "ab"}}
    figures = {"bytes_added": 1, "bytes_processed": 2, "duration_seconds": 1.5, "restic_version": "0.18.0"}
    return RecoveryPoint.model_validate(
        {"id": name, "crm": "demo", "at": NOW, "snapshots": PointSnapshots(**snapshots), **measured, **figures}
    )


def test_a_lock_is_stale_when_its_process_is_gone(tmp_path: Path) -> None:
    assert is_stale(lock(), now=NOW, hostname="here", proc=tmp_path)


def test_a_lock_is_stale_when_its_process_id_was_given_to_another_program(tmp_path: Path) -> None:
    assert is_stale(lock(), now=NOW, hostname="here", proc=process(tmp_path, "/usr/bin/postgres"))


def test_a_lock_of_a_living_restic_is_never_stale(tmp_path: Path) -> None:
    assert not is_stale(lock(time=NOW - timedelta(days=2)), now=NOW, hostname="here", proc=process(tmp_path, "/usr/bin/restic"))


def test_a_lock_of_another_host_is_stale_only_after_a_long_silence(tmp_path: Path) -> None:
    assert not is_stale(lock(hostname="there"), now=NOW + timedelta(minutes=29), hostname="here", proc=tmp_path)
    assert is_stale(lock(hostname="there"), now=NOW + timedelta(minutes=31), hostname="here", proc=tmp_path)


def test_a_lease_keeps_a_second_run_out_and_names_the_first(tmp_path: Path) -> None:
    path = lease_file("/srv/repositories/local", str(tmp_path))
    second = lease(path, purpose="check", wait_seconds=0)
    with lease(path, purpose="backup of demo", wait_seconds=0), pytest.raises(RepositoryLocked, match="backup of demo"):
        second.__enter__()
    with lease(path, purpose="check", wait_seconds=0):
        assert path.read_text().startswith("check")


def test_data_without_a_record_is_left_over_even_under_a_point_id_that_was_used_again() -> None:
    def snapshot(name: str, part: str) -> Snapshot:
        return Snapshot(id=name, time=NOW, tags=[*tags_of(crm="demo", point="p1", part="files")[:2], f"part={part}"])

    found = [snapshot("first", "database"), snapshot("second", "database"), snapshot("third", "files"), snapshot("fourth", "record")]
    made_by_hand = Snapshot(id="fifth", time=NOW, tags=["part=files"])
    left = leftovers_among([*found, made_by_hand], [point("p1", database="second", files="third")])
    assert [one.id for one in left] == ["first"]


def held(name: str, tree: str, original: str | None = None) -> Snapshot:
    return Snapshot(id=name, time=NOW, tree=tree, original=original, tags=tags_of(crm="demo", point="p1", part="files"))


def test_a_copy_that_somebody_has_made_again_with_less_in_it_is_not_taken_for_the_point() -> None:
    whole, less, same = held("here", "t1", "there"), held("rewritten", "t2", "there"), held("again", "t1", "there")
    assert claimed_twice([whole, same]) == set()
    assert claimed_twice([whole, less]) == {"here", "rewritten"}
    assert (claimed_twice([held("there", "t1"), less]), names_here([held("there", "t1"), less])) == (set(), {})
    known = point("p1", files="here")
    assert Contents(points=[known], snapshots=[whole, same]).point("p1") == known
    with pytest.raises(BackupFailure, match=r"what it saved \(snapshot here\) is there twice, and differs") as refused:
        Contents(points=[known], snapshots=[whole, less]).point("p1")
    assert refused.value.code == "ambiguous"


def test_a_record_that_somebody_has_added_is_not_taken_for_the_points_own() -> None:
    known, other = point("p1", files="here"), point("p1", files="elsewhere")
    assert Contents(points=[known, known], snapshots=[]).point("p1") == known
    with pytest.raises(BackupFailure, match="its record is there twice, and differs"):
        Contents(points=[known, other], snapshots=[]).point("p1")
    of_another = known.model_copy(update={"crm": "other"})
    with pytest.raises(BackupFailure, match="Several CRMs have a recovery point p1"):
        Contents(points=[known, of_another], snapshots=[]).point("p1")


def test_what_another_machine_has_just_saved_is_not_taken_for_left_behind() -> None:
    saved = Snapshot(id="first", time=NOW, hostname="there")
    assert is_left_behind(saved, now=NOW, hostname="there")
    assert not is_left_behind(saved, now=NOW + timedelta(hours=23), hostname="here")
    assert is_left_behind(saved, now=NOW + timedelta(hours=25), hostname="here")


def test_differences_name_what_was_recorded_and_what_came_back() -> None:
    restored = Measures(counts={"contacts": 2}, checksums={"contacts": "ab"})
    assert differences_between(point("p1"), restored) == [{"kind": "count", "name": "contacts", "recorded": 3, "restored": 2}]
    assert differences_between(point("p1"), Measures(counts={"contacts": 3}, checksums={"contacts": "ab"})) == []


@pytest.mark.parametrize("answer", [None, "12", 1.5, True])
def test_an_answer_that_is_no_whole_number_is_an_error_and_never_a_zero(answer: object) -> None:
    with pytest.raises(BackupFailure, match="not a whole number"):
        count_from("contacts", answer)


def test_the_table_of_points_says_when_there_are_none() -> None:
    assert table_of_points([]) == "There are no recovery points."
    assert table_of_points([point("p1")]).splitlines()[1].split()[:2] == ["p1", "demo"]
