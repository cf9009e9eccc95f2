"""A backup that dies at any moment leaves no recovery point, and the next one works."""

import time

import psutil
import psycopg
import pytest

from tests.support.backup_world import World
from tests.support.house import wait_for

SLOW_COUNT = "select count(*) from pg_sleep(600)"
AT_WORK = "select coalesce(string_agg(query, ' '), '') from pg_stat_activity where pid <> pg_backend_pid()"


def wait_until_gone(other: psycopg.Connection, server_process: int) -> None:
    for _ in range(4000):
        if not other.execute("select from pg_stat_activity where pid = %s", [server_process]).fetchone():
            return
        time.sleep(0.01)
    pytest.fail("pg_dump outlived its run")


def command_lines(world: World) -> str:
    """Of this world's programs, which have its home; other tests' may run beside."""
    found = [one.info for one in psutil.process_iter(["cmdline", "environ"])]
    return " ".join(word for info in found if (info["environ"] or {}).get("HOME") == str(world.directory) for word in info["cmdline"] or ())


def test_sigterm_cancels_a_backup_and_ends_its_programs(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        dump = world.cluster.wait_until_held(other)
        process.terminate()
        ended = world.ended(process)
        wait_until_gone(other, dump)
    assert (ended.code, ended.last["code"]) == (130, "cancelled")
    assert world.points() == []
    assert world.backup("p1").code == 0


def test_sigterm_cancels_a_backup_that_saves_files_while_it_counts(world: World) -> None:
    with (world.uploads / "endless").open("wb") as file:
        file.truncate(2**40)
    process = world.start("backup", world.backup_spec("p1", counts={"contacts": SLOW_COUNT}))
    wait_for(lambda: "part=files" in command_lines(world) and "pg_sleep" in world.cluster.answer("postgres", AT_WORK))
    process.terminate()
    ended = world.ended(process)
    assert (ended.code, ended.last["code"]) == (130, "cancelled")
    assert "part=files" not in command_lines(world)
    assert (world.points(), world.leftovers()) == ([], ["database"])


def test_a_count_that_fails_ends_the_saving_of_files(world: World) -> None:
    with (world.uploads / "endless").open("wb") as file:
        file.truncate(2**40)
    ended = world.backup("p1", counts={"contacts": "select count(*) / 0 from pg_sleep(2)"})
    assert (ended.code, ended.last["code"]) == (1, "bad_query")
    assert "part=files" not in command_lines(world)
    assert (world.points(), world.leftovers()) == ([], ["database"])


def test_kill_9_ends_the_programs_too_and_the_next_backup_forgets_what_was_left(world: World) -> None:
    world.restic("backup", str(world.uploads), "--tag", "crm=demo", "--tag", "point=p0", "--tag", "part=files")
    assert world.leftovers() == ["files"]
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        dump = world.cluster.wait_until_held(other)
        process.kill()
        process.communicate()
        wait_until_gone(other, dump)
    assert world.points() == []
    assert world.backup("p1").code == 0
    assert (world.points(), world.leftovers()) == (["p1"], [])


def test_a_backup_whose_caller_died_ends_itself(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        dump = world.cluster.wait_until_held(other)
        assert process.stdout is not None
        process.stdout.close()
        wait_until_gone(other, dump)
        assert process.wait(60) == 1
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_run_ends_at_its_deadline(world: World) -> None:
    with world.cluster.dump_held("tb_live"):
        ended = world.backup("p1", deadline_seconds=4)
    assert (ended.code, ended.last["code"]) == (1, "deadline")
    assert "No recovery point was made" in ended.said


def test_no_secret_is_in_any_command_line_while_a_backup_runs(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        world.cluster.wait_until_held(other)
        seen = command_lines(world)
        process.terminate()
        world.ended(process)
    assert str(world.password_file) in seen
    assert "pg_dump" in seen
    assert world.password_file.read_text().strip() not in seen


def test_a_second_run_waits_its_turn_and_then_says_who_is_working(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        first = world.start("backup", world.backup_spec("p1"))
        world.cluster.wait_until_held(other)
        second = world.backup("p2", repository={**world.repository, "wait_seconds": 0})
    assert (second.code, second.last["code"]) == (11, "locked")
    assert f"backup of demo (process {first.pid})" in second.said
    assert world.ended(first).code == 0


def test_the_lock_of_a_killed_restic_is_cleared_without_signalling_anybody(world: World) -> None:
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p1"))
        dump = world.cluster.wait_until_held(other)
        lock = next((world.location / "locks").iterdir())
        for restic in psutil.process_iter(["name", "cmdline"]):
            if restic.info["name"] == "restic" and any(str(world.location) in word for word in restic.info["cmdline"] or ()):
                restic.kill()
        assert world.ended(process).last["code"] == "backup_failed"
        wait_until_gone(other, dump)
    assert lock.exists()
    assert world.run("check").code == 0
    assert not lock.exists()
