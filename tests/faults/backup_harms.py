"""What else can go wrong: a full repository, damage, another password, a dump that dies, a gap in the log, dead locks, hostile names."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from tests.faults.backup_disk import small_disk
from tests.faults.backup_stage import Stage
from tests.support.backup_log import base, shipped
from tests.support.backup_world import World, receiving
from tests.support.house import wait_for

FULL_BYTES = 4 * 1024**2


def moved(world: World, disk: Path) -> World:
    """The same world, whose repository lies on a disk of its own."""
    subprocess.run(["cp", "-a", f"{world.location}", f"{world.location}.records", str(disk)], check=True)
    return replace(world, location=disk / world.location.name)


def fill(folder: Path) -> Path:
    """Fill the disk to its last byte."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


def repository_full(stage: Stage) -> None:
    """A backup fails and says why, a recovery point comes back from a full repository; with room, all goes on."""
    with small_disk(stage.world.directory / "disk", size_bytes=FULL_BYTES) as disk:
        stage.world = moved(stage.world, disk)
        ballast = fill(disk)
        stage.write()
        failed = stage.world.backup("p3")
        assert (failed.code, failed.last["code"]) == (1, "disk_full"), failed
        stage.all_come_back()
        ballast.unlink()
        stage.all_come_back()
        stage.goes_on()


def repository_full_while_forgetting(stage: Stage) -> None:
    """Giving up a point frees space even where there is none."""
    with small_disk(stage.world.directory / "disk", size_bytes=FULL_BYTES) as disk:
        stage.world = moved(stage.world, disk)
        ballast = fill(disk)
        given_up = stage.world.run("forget", crm="demo", points=["p1"])
        if given_up.code == 0:
            stage.good.pop("p1")
        assert set(stage.world.points()) == set(stage.good), given_up
        stage.all_come_back()
        ballast.unlink()
        stage.goes_on()


def repository_full_for_the_log(stage: Stage) -> None:
    """What is received is kept, and shipped when there is room again."""
    world = stage.world
    with small_disk(world.directory / "disk", size_bytes=64 * 1024**2) as disk:
        stage.world = world = moved(world, disk)
        with receiving(world, {}):
            base(world)
            ballast = fill(disk)
            stage.write()
            time.sleep(3)
            ballast.unlink()
            stage.log_comes_back()
        stage.all_come_back()


def pack_flipped(stage: Stage) -> None:
    """One bit of the data."""
    damaged(stage, lambda world: flip(biggest(world.location / "data")), reading=True)


def pack_deleted(stage: Stage) -> None:
    """A file of the data is gone."""
    damaged(stage, lambda world: biggest(world.location / "data").unlink(), reading=False)


def index_flipped(stage: Stage) -> None:
    """One bit of an index; restic makes a new one from the data."""
    damaged(stage, lambda world: flip(biggest(world.location / "index")), reading=False)
    stage.world.restic("repair", "index")
    stage.all_come_back()
    stage.goes_on()


def biggest(folder: Path) -> Path:
    """The file that holds most."""
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def flip(file: Path) -> None:
    """Turn one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


def damaged(stage: Stage, harm: Callable[[World], None], *, reading: bool) -> None:
    """A check finds it, nothing false is restored, and the second repository brings all back."""
    second = {**stage.world.repository, "location": str(stage.world.directory / "second")}
    assert stage.world.run("copy", repository=second, source=stage.world.repository).code == 0
    harm(stage.world)
    found = stage.world.run("check", read_data=reading)
    assert (found.code, found.last["code"]) == (1, "damaged"), found
    for point, held in stage.good.items():
        restored = stage.world.run("restore", **stage.world.restore_spec(point))
        assert restored.code == 1 or stage.comes_back(point, held), point
        shutil.rmtree(stage.world.directory / "restored", ignore_errors=True)
        stage.world.cluster.create("tb_copy")
    stage.all_come_back(repository=second)


def wrong_password(stage: Stage) -> None:
    """Whoever has another password changes nothing."""
    wrong = stage.world.directory / "wrong"
    wrong.write_text("another password")
    repository = {**stage.world.repository, "password_file": str(wrong)}
    for verb, spec in {
        "backup": stage.world.backup_spec("p3"),
        "forget": {"crm": "demo", "points": ["p1"]},
        "restore": stage.world.restore_spec("p1"),
        "check": {},
    }.items():
        refused = stage.world.run(verb, **{**spec, "repository": repository})
        assert (refused.code, refused.last["code"]) == (12, "wrong_password"), refused
    stage.all_come_back()
    stage.goes_on()


def dump_dies(stage: Stage) -> None:
    """The server ends pg_dump's connection in the middle."""

    def strike(server_process: int) -> None:
        stage.world.cluster.sql("postgres", f"select pg_terminate_backend({server_process})")

    dump_struck(stage, strike)


def dump_killed(stage: Stage) -> None:
    """kill -9 of pg_dump."""
    dump_struck(stage, lambda _: kill_named("pg_dump", stage.world.cluster.sockets))


def restic_killed(stage: Stage) -> None:
    """kill -9 of the restic that reads the dump."""
    dump_struck(stage, lambda _: kill_named("restic", stage.world.location))


def dump_struck(stage: Stage, strike: Callable[[int], None]) -> None:
    """A dump that is not whole becomes no recovery point."""
    world = stage.world
    with world.cluster.dump_held("tb_live") as other:
        process = world.start("backup", world.backup_spec("p3"))
        strike(world.cluster.wait_until_held(other))
        ended = world.ended(process)
    assert (ended.code, ended.last["code"]) == (1, "backup_failed"), ended
    assert "No recovery point was made" in ended.said, ended
    assert world.points() == ["p2", "p1"]
    stage.all_come_back()
    stage.goes_on()


def kill_named(name: str, at: Path) -> None:
    """Kill a program that was told of a path."""
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == name and any(str(at) in word for word in process.info["cmdline"] or ()):
            process.kill()


def log_gap(stage: Stage) -> None:
    """A segment is missing between others: nothing behind it is promised, and a new log with a new base is whole again."""
    world = stage.world
    with receiving(world, {}, every_seconds=3600):
        base(world)
        before = shipped(world)
        for _ in range(3):
            stage.write()
            world.cluster.sql("tb_live", "select pg_switch_wal()")
        there = world.directory / "spool" / "receiving"
        wait_for(lambda: len([one for one in there.iterdir() if one.suffix != ".partial"]) >= 3)
        sorted(one for one in there.iterdir() if one.suffix != ".partial")[-2].unlink()
        spool = {"spool": str(world.directory / "spool"), "database": world.cluster.spec("tb_live")}
        refused = world.run("ship", crm="demo", **spool)
        assert (refused.code, refused.last["code"]) == (1, "log_gap"), refused
        assert shipped(world) == before
    shutil.rmtree(world.directory / "spool")
    with receiving(world, {}):
        base(world, base="b2")
        stage.write()
        stage.log_comes_back()
    stage.all_come_back()


def lock_of_another(stage: Stage) -> None:
    """A lock names a process id that another program has by now: it is cleared, and that program lives."""
    with subprocess.Popen(["sleep", "600"]) as innocent:
        try:
            leave_lock(stage, innocent.pid)
            assert len(list((stage.world.location / "locks").iterdir())) == 1
            checked = stage.world.run("check")
            assert (checked.code, innocent.poll()) == (0, None), checked
        finally:
            innocent.kill()
    assert list((stage.world.location / "locks").iterdir()) == []
    stage.all_come_back()
    stage.goes_on()


def leave_lock(stage: Stage, pid: int) -> None:
    """Kill a restic that believes to have that process id, which it has in a namespace of its own."""
    world = stage.world
    slow = f"restic --repo {world.location} --password-file {world.password_file} --no-cache backup --stdin"
    script = f"echo {pid - 1} > /proc/sys/kernel/ns_last_pid; {slow}; true"
    argv = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as held:
        wait_for(lambda: any((world.location / "locks").iterdir()))
        (lock,) = (world.location / "locks").iterdir()
        assert json.loads(world.restic("--no-lock", "cat", "lock", lock.name))["pid"] == pid
        held.send_signal(signal.SIGKILL)


def hostile_paths(stage: Stage) -> None:
    """A directory whose name is made to be misunderstood."""
    uploads = stage.world.directory / "a:b*[c]?, --tag=part=record \"$(reboot)\" 'x' ünï"
    shutil.copytree(stage.world.uploads, uploads)
    run = stage.world.backup("p3", paths=[str(uploads)])
    assert run.code == 0, run
    assert stage.comes_back("p3", stage.now(), files={str(uploads): str(stage.world.directory / "restored")})
    assert stage.world.run("forget", crm="demo", points=["p3"]).code == 0
    stage.all_come_back()
    stage.goes_on()


def hostile_tags(stage: Stage) -> None:
    """What would become a tag or an option is refused before anything is started."""
    for change in ({"crm": "demo,part=record"}, {"point": "p1,part=record"}, {"point": "--dry-run"}, {"paths": ["--exclude=/"]}):
        refused = stage.world.run("backup", **(stage.world.backup_spec("p3") | change))
        assert (refused.code, refused.last["code"]) == (2, "invalid"), refused
    stage.all_come_back()
    stage.goes_on()


HARMS: dict[str, Callable[[Stage], None]] = {
    "repository-full": repository_full,
    "repository-full-while-forgetting": repository_full_while_forgetting,
    "repository-full-for-the-log": repository_full_for_the_log,
    "pack-flipped": pack_flipped,
    "pack-deleted": pack_deleted,
    "index-flipped": index_flipped,
    "wrong-password": wrong_password,
    "dump-dies": dump_dies,
    "dump-killed": dump_killed,
    "restic-killed": restic_killed,
    "log-gap": log_gap,
    "lock-of-another": lock_of_another,
    "hostile-paths": hostile_paths,
    "hostile-tags": hostile_tags,
}
