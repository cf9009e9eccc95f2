"""What is backed up comes back, with the panel or by hand."""

from pathlib import Path

from tests.support.backup_world import World


def contents_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_recovery_point_comes_back_with_equal_counts_checksums_and_files(world: World) -> None:
    saved = world.backup("p1")
    assert saved.code == 0, saved
    restored = world.run("restore", **world.restore_spec("p1"))
    assert restored.code == 0, restored
    assert restored.last["counts"] == saved.last["counts"] == {"contacts": 300}
    assert restored.last["checksums"] == saved.last["checksums"]
    assert contents_of(world.directory / "restored") == contents_of(world.uploads)


def test_the_record_keeps_what_it_was_given_and_what_was_measured(world: World) -> None:
    record = world.backup("p1").last
    assert (record["event"], record["id"], record["crm"], record["product"]) == ("result", "p1", "demo", "creme")
    assert record["settings"] == {"language": "fr"}
    assert record["bytes_processed"] > 300 * 1280
    assert set(record["snapshots"]) == {"database", "files"}
    assert world.run("points", crm="demo").last["points"] == [{key: value for key, value in record.items() if key != "event"}]
    assert world.run("points", crm="other").last["points"] == []
