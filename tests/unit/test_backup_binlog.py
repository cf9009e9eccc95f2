"""Files of a binary log: which are missing, what of one is whole, and which snapshots hold all that another one has."""

from pathlib import Path

import pytest

from backup.binlog import HEADER, BinlogPosition, missing_between, number_of, whole_bytes
from backup.binlog_spool import Binlog, received_files, superseded
from backup.failures import BackupFailure

MAGIC = b"\xfebin"


def event(length: int) -> bytes:
    return HEADER.pack(0, 2, 1, length, 0, 0).ljust(length, b"x")


def binlog(snapshot: str, *, start: str = "binlog.000001", file: str = "binlog.000003", position: int = 100) -> Binlog:
    return Binlog(snapshot=snapshot, directory="/spool", log="a", start=start, file=file, position=position, until=None)


def position(file: str, place: int) -> BinlogPosition:
    return BinlogPosition(database="crm", file=file, position=place, gtid="0-1-1", log="a")


@pytest.mark.parametrize(("there", "missing"), [([1, 2, 3], []), ([1, 3], [2]), ([2, 3], [1]), ([], [1]), ([1, 2, 5], [3, 4])])
def test_files_that_are_missing_are_named(there: list[int], missing: list[int]) -> None:
    names = [f"binlog.{number:06}" for number in there]
    assert missing_between(names, "binlog.000001") == [f"binlog.{number:06}" for number in missing]


@pytest.mark.parametrize("name", ["binlog.index", "../binlog.000001", "binlog.000001.new", "-r.000001x", "binlog.1"])
def test_only_a_plain_name_is_a_file_of_a_log(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        number_of(name)


@pytest.mark.parametrize("rest", [b"", event(50)[:-1], event(50)[:5], event(50)[:19]])
def test_a_part_of_an_event_is_not_whole(tmp_path: Path, rest: bytes) -> None:
    file = tmp_path / "binlog.000001"
    file.write_bytes(MAGIC + event(30) + event(40) + rest)
    assert whole_bytes(file) == 4 + 30 + 40


def test_a_file_that_only_begins_has_nothing_whole(tmp_path: Path) -> None:
    file = tmp_path / "binlog.000001"
    file.write_bytes(MAGIC[:2])
    assert whole_bytes(file) == 2


def test_the_longest_copy_of_a_file_counts(tmp_path: Path) -> None:
    for run, length in (("0001", 400), ("0002", 300)):
        (tmp_path / run).mkdir()
        (tmp_path / run / "binlog.000001").write_bytes(MAGIC + event(30) + event(length))
    (tmp_path / "0002" / "binlog.000002").write_bytes(MAGIC + event(30))
    assert list(received_files(tmp_path).values()) == [tmp_path / "0001" / "binlog.000001", tmp_path / "0002" / "binlog.000002"]


def test_files_of_one_name_and_two_logs_are_told(tmp_path: Path) -> None:
    for run, content in (("0001", MAGIC + event(50)), ("0002", MAGIC + b"another" + event(50))):
        (tmp_path / run).mkdir()
        (tmp_path / run / "binlog.000001").write_bytes(content)
    with pytest.raises(BackupFailure, match=r"two different logs"):
        received_files(tmp_path)


def test_a_snapshot_leads_on_from_the_positions_that_it_holds() -> None:
    log = binlog("s", start="binlog.000002", file="binlog.000003", position=100)
    held = [position("binlog.000002", 900), position("binlog.000003", 100)]
    assert all(log.has_all_since(one) for one in held)
    assert not any(log.has_all_since(one) for one in (position("binlog.000001", 4), position("binlog.000003", 101)))


def test_the_last_snapshot_of_each_beginning_stays() -> None:
    logs = [binlog("a"), binlog("b", position=200), binlog("c", start="binlog.000002", position=300)]
    assert superseded(logs) == ["a"]
