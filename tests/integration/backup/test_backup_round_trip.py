"""What is backed up comes back: with the panel, by hand with our command line, by hand with plain restic."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.support.backup_world import World, contents_of

REPOSITORY = Path(__file__).parents[3]


def test_a_recovery_point_comes_back_with_equal_counts_checksums_and_files(world: World) -> None:
    saved = world.backup("p1")
    assert saved.code == 0, saved
    stages = {event["stage"] for event in saved.events if event["event"] == "progress"}
    restored = world.run("restore", **world.restore_spec("p1"))
    assert restored.code == 0, restored
    assert restored.last["counts"] == saved.last["counts"] == {"contacts": 300}
    assert restored.last["checksums"] == saved.last["checksums"]
    assert contents_of(world.directory / "restored") == contents_of(world.uploads)
    assert stages >= {"database", "files"}


def test_the_record_keeps_what_it_was_given_and_what_was_measured(saved: World) -> None:
    record = saved.run("points", crm="demo").last["points"][0]
    assert (record["id"], record["crm"], record["product"], record["settings"]) == ("p1", "demo", "creme", {"language": "fr"})
    assert record["bytes_processed"] > 300 * 1280
    assert set(record["snapshots"]) == {"database", "files"}
    assert record["counts"] == {"contacts": 300}
    assert saved.run("points", crm="other").last["points"] == []


def test_restored_files_keep_owner_and_mode_or_get_the_owner_that_is_named(world: World) -> None:
    os.chown(world.uploads, 1, 1)
    world.uploads.chmod(0o2750)
    assert world.backup("p1", database=None).code == 0
    as_it_was, given = world.directory / "as-it-was", world.directory / "given"
    assert world.run("restore", point="p1", files={str(world.uploads): str(as_it_was)}).code == 0
    assert world.run("restore", point="p1", files={str(world.uploads): str(given)}, owner="nobody").code == 0
    assert (as_it_was.stat().st_uid, as_it_was.stat().st_gid, as_it_was.stat().st_mode & 0o7777) == (1, 1, 0o2750)
    assert {path.stat().st_uid for path in as_it_was.iterdir()} == {0}
    assert {path.owner() for path in (given, *given.iterdir())} == {"nobody"}


def test_a_file_that_cannot_be_read_does_not_stop_a_backup_but_is_told(world: World) -> None:
    broken = world.uploads / "broken"
    broken.touch()
    subprocess.run(["mount", "--bind", "/proc/1/mem", str(broken)], check=True)  # reading its start is an input/output error
    try:
        ended = world.backup("p1", database=None)
    finally:
        subprocess.run(["umount", str(broken)], check=True)
    assert (ended.code, ended.last["event"]) == (3, "result")
    assert [str(broken) in warning for warning in ended.last["warnings"]] == [True]
    assert world.points() == ["p1"]


def test_rows_written_during_the_dump_are_neither_counted_nor_restored(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        world.cluster.wait_until_held(other)
        other.execute("insert into contact values (1000, 'too late', '')")
    assert world.ended(process).last["counts"] == {"contacts": 300}
    assert world.run("restore", **world.restore_spec("p1", files=None)).last["counts"] == {"contacts": 300}
    assert world.run("inspect", database=world.cluster.spec("tb_live"), counts={"n": "select count(*) from contact"}).last["counts"] == {
        "n": 301
    }


def test_plain_restic_and_pg_restore_bring_a_point_back_by_hand(saved: World) -> None:
    record = saved.run("points").last["points"][0]
    saved.restic("restore", f"{record['snapshots']['files']}:{saved.uploads}", "--target", str(saved.directory / "by-hand"))
    saved.restic("restore", record["snapshots"]["database"], "--target", str(saved.directory / "dump"))
    spec = saved.cluster.spec("tb_copy")
    entry = ["-h", spec["socket_directory"], "-p", str(spec["port"]), "-U", "postgres", "-d", "tb_copy"]
    subprocess.run(["pg_restore", *entry, "--no-owner", "--role=crm", str(saved.directory / "dump" / "database.dump")], check=True)
    measured = saved.run("inspect", database=spec, checksums=record["queries"]["checksums"])
    assert measured.last["checksums"] == record["checksums"]
    assert contents_of(saved.directory / "by-hand") == contents_of(saved.uploads)


def test_an_administrator_restores_with_flags_when_the_panel_is_dead(saved: World) -> None:
    target = saved.directory / "by-flags"
    spec = saved.cluster.spec("tb_copy")
    database = ["--database", "tb_copy", "--port", str(spec["port"]), "--socket-directory", spec["socket_directory"], "--role", "crm"]
    flags = ["restore", *saved.flags, "--point", "p1", *database, "--files", f"{saved.uploads}={target}"]
    ended = subprocess.run([sys.executable, "-m", "backup", *flags], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert ended.returncode == 0, ended
    assert '"verified": true' in ended.stdout
    assert contents_of(target) == contents_of(saved.uploads)


def test_a_person_at_a_terminal_gets_a_table_of_points(saved: World) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        command = [sys.executable, "-m", "backup", "points", *saved.flags, "--crm", "demo"]
        subprocess.run(command, check=True, stdout=theirs, stderr=subprocess.DEVNULL, cwd=REPOSITORY)
        title, row = screen.read(4000).decode().splitlines()
    assert title.split()[:2] == ["POINT", "CRM"]
    assert row.split()[:2] == ["p1", "demo"]
    assert "contacts=300" in row


def test_points_are_listed_without_what_was_kept_beside_the_repository(saved: World) -> None:
    for kept in saved.directory.glob("repository.records/*"):
        kept.unlink()
    assert saved.points() == ["p1"]
    assert len(list(saved.directory.glob("repository.records/*"))) == 1
