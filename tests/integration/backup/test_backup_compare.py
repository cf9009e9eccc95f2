"""Live files against a recovery point: what nobody wrote since is what was saved, or is named."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_world import World

LONG_AGO = 1_700_000_000
NAMES = ("a.txt", "sub/[a]*?.txt", "back\\slash", "sub/deeper/--target=x", "tab\tand\nline", "é.pdf")


@pytest.fixture
def live(world: World) -> World:
    """A world whose point holds files with names of all kinds, none of them written since."""
    for name in NAMES:
        file = world.uploads / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(f"what {name!r} holds")
    for file in world.uploads.rglob("*"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    assert world.backup("p1").code == 0
    return world


def compared(world: World, **more: Any) -> dict[str, Any]:
    run = world.run("compare", **{"crm": "demo", "paths": [str(world.uploads)], **more})
    assert run.code == 0, run
    assert not list(world.directory.glob("*.compared-*"))
    return run.last


def rewrite(file: Path, text: str, *, at: float | None) -> None:
    file.write_text(text)
    if at is not None:
        os.utime(file, (at, at))


def test_files_that_nobody_wrote_are_as_they_were_saved(live: World) -> None:
    found = compared(live)
    assert (found["point"], found["same"], found["missing"], found["differing"]) == ("p1", len(NAMES) + 2, [], []), found


def test_what_was_lost_or_changed_behind_the_clock_is_named_and_what_was_written_since_is_not(live: World) -> None:
    lost, shorter, other, written = (live.uploads / name for name in NAMES[:4])
    lost.unlink()
    rewrite(shorter, "short", at=LONG_AGO)
    rewrite(other, other.read_text().swapcase(), at=LONG_AGO)
    rewrite(written, "written since", at=None)
    found = compared(live)
    assert found["missing"] == [str(lost)]
    assert found["differing"] == sorted(map(str, (shorter, other)))
    assert (found["changed_since"], found["same"]) == (1, 4)


def test_a_file_in_whose_place_is_something_else_differs(live: World) -> None:
    file = live.uploads / "a.txt"
    file.unlink()
    file.symlink_to("/etc/hostname")
    os.utime(file, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    assert compared(live)["differing"] == [str(file)]


def test_a_sample_is_as_large_as_asked_for_and_drawn_of_all(live: World) -> None:
    found = compared(live, sample=3)
    assert (found["same"], found["saved"]) == (3, len(NAMES) + 2)
    assert compared(live, sample_bytes=1)["same"] == 0


def test_what_cannot_be_compared_is_said(live: World) -> None:
    for told, code in (
        ({"crm": "other", "paths": [str(live.uploads)]}, "point_missing"),
        ({"crm": "demo", "paths": ["/srv/other"]}, "part_missing"),
        ({"crm": "demo", "paths": []}, "invalid"),
    ):
        refused = live.run("compare", **told)
        assert refused.last["code"] == code, refused


def test_a_run_that_was_killed_leaves_nothing_behind_for_long(live: World) -> None:
    left = live.location.with_suffix(".compared-demo")
    left.mkdir()
    (left / "of a run before").touch()
    assert compared(live)["differing"] == []
