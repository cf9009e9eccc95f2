"""A second key that opens a repository at once, beside restic's own, which stays."""

import json
import signal
import time
from pathlib import Path

import pytest

from backup.quick_key import quick_key
from tests.support.backup_world import NO_CLUSTER, World

LONG, SHORT = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0", "a person's own"


@pytest.fixture
def plain(tmp_path: Path) -> World:
    """A repository as restic makes it, with one key, by a password like the appliance's."""
    made = World(directory=tmp_path, cluster=NO_CLUSTER, location=tmp_path / "repository")
    made.password_file.write_text(LONG + "\n")
    assert made.run("init").last["created"] is True
    return made


def keys(world: World) -> set[str]:
    return {file.name for file in (world.location / "keys").iterdir()}


def master(world: World, *flags: str) -> str:
    return world.restic(*flags, "cat", "masterkey")


def test_either_key_alone_opens_the_same_repository(plain: World) -> None:
    own, before = keys(plain), master(plain)
    assert plain.run("init", quick_key=True).last["created"] is False
    (quick,) = keys(plain) - own
    assert quick_key(plain.location) == quick
    assert master(plain, "--key-hint", quick) == before
    held = (plain.location / "keys" / quick).read_bytes()
    (plain.location / "keys" / quick).unlink()
    assert master(plain) == before
    (plain.location / "keys" / own.pop()).unlink()
    (plain.location / "keys" / quick).write_bytes(held)
    assert master(plain) == before


def test_the_quick_key_is_the_one_that_restic_uses(plain: World) -> None:
    plain.run("init", quick_key=True)
    (plain.directory / "uploads").mkdir()
    plain.run("backup", crm="demo", point="p1", database=None, paths=[str(plain.directory / "uploads")])
    hinted = quick_key(plain.location)
    listed = json.loads(plain.restic("--key-hint", str(hinted), "key", "list", "--json"))
    assert [key["current"] for key in listed if str(hinted).startswith(key["id"])] == [True]


def test_a_second_one_is_not_added(plain: World) -> None:
    plain.run("init", quick_key=True)
    before = keys(plain)
    plain.run("init", quick_key=True)
    assert len(before) == 2
    assert keys(plain) == before


def test_a_password_that_a_person_may_have_chosen_gets_none(plain: World) -> None:
    plain.password_file.write_text(SHORT)
    plain = World(directory=plain.directory, cluster=NO_CLUSTER, location=plain.directory / "another")
    ended = plain.run("init", quick_key=True)
    assert (ended.code, len(keys(plain))) == (0, 1)
    assert "fewer than 32 characters" in str(ended.events)


def test_the_password_of_a_recovery_kit_goes_on_to_open_it(plain: World) -> None:
    kit = plain.directory / "kit"
    kit.write_text("the password of a recovery kit")
    plain.run("init", quick_key=True)
    assert plain.run("key", new_password_file=str(kit)).last["added"] is True
    assert plain.run("init", quick_key=True).code == 0
    repository = {"location": str(plain.location), "password_file": str(kit)}
    assert plain.run("points", repository=repository).last["points"] == []
    assert len(keys(plain)) == 3


def test_a_repository_stays_openable_when_its_making_is_killed_at_any_moment(plain: World) -> None:
    before = master(plain)
    for tenths in range(2, 13, 2):
        process = plain.start("init", {"repository": plain.repository, "quick_key": True})
        time.sleep(tenths / 10)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert master(plain) == before
        for quick in keys(plain) - keys_of_restic(plain):
            (plain.location / "keys" / quick).unlink()


def test_what_a_killed_run_has_left_of_a_key_is_passed_over(plain: World) -> None:
    left = plain.location / "keys" / f"{'0' * 64}-tmp-4711"
    left.write_text('{"created":')
    assert plain.run("init", quick_key=True).code == 0
    assert "no errors were found" in plain.restic("check")
    assert quick_key(plain.location) is not None


def flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.chmod(0o600)
    file.write_bytes(content)


def test_a_quick_key_that_is_damaged_is_set_aside_and_made_anew(plain: World) -> None:
    plain.run("init", quick_key=True)
    damaged = str(quick_key(plain.location))
    flip_a_bit(plain.location / "keys" / damaged)
    ended = plain.run("points")
    assert (ended.code, ended.last["points"]) == (0, [])
    assert f"{damaged}-damaged" in keys(plain)
    assert plain.run("init", quick_key=True).code == 0
    assert quick_key(plain.location) not in (None, damaged)


def test_a_repository_whose_own_key_is_damaged_is_opened_by_the_quick_one(plain: World) -> None:
    (own,) = keys(plain)
    plain.run("init", quick_key=True)
    flip_a_bit(plain.location / "keys" / own)
    assert plain.run("points").code == 0
    assert own in keys(plain)


def keys_of_restic(world: World) -> set[str]:
    """Those that are costly."""
    folder = world.location / "keys"
    return {name for name in keys(world) if name.isalnum() and json.loads((folder / name).read_text())["N"] > 1024}
