"""Some files of a recovery point come back to where a CRM is serving from, and nothing that is there is lost."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_world import Run, World

OWNER = "nobody"
MANY, KILLS = 2000, 5
PATIENCE_SECONDS = 60


@pytest.fixture
def kept(files_world: World) -> World:
    """The recovery point p1 holds files with names of every kind, some of them in folders."""
    world = files_world
    folder = world.uploads / "2026" / "may"
    folder.mkdir(parents=True)
    folder.chmod(0o2750)
    for name in ("invoice.pdf", "offer.pdf", "plan.pdf"):
        (folder / name).write_text(f"{name} as it was")
    (folder / "invoice.pdf").chmod(0o640)
    assert world.backup("p1", database=None).code == 0
    return world


def as_they_are(world: World) -> list[tuple[str, int, int, int]]:
    """What is there, but for when it was read last."""
    found = {str(path): path.lstat() for path in world.uploads.rglob("*")}
    return sorted((path, it.st_ino, it.st_mtime_ns, it.st_ctime_ns) for path, it in found.items())


def put(world: World, *paths: str, **changes: Any) -> Run:
    return world.ended(world.start("put", put_spec(world, *paths, **changes)))


def put_spec(world: World, *paths: str, **changes: Any) -> dict[str, Any]:
    target = {"target": str(world.uploads), "kept": str(world.directory / "replaced"), "stage": str(world.directory / "stage")}
    point = {"repository": world.repository, "point": "p1", "crm": "demo", "source": str(world.uploads), "owner": OWNER}
    return {**point, "paths": list(paths), **target, **changes}


def compared(world: World, path: str) -> Any:
    spec = {"repository": world.repository, "point": "p1", "source": str(world.uploads), "path": path, "target": str(world.uploads)}
    return world.ended(world.start("preview", spec)).last


def test_what_is_gone_comes_back_and_what_changed_is_kept(kept: World) -> None:
    folder = kept.uploads / "2026" / "may"
    (folder / "invoice.pdf").unlink()
    (folder / "offer.pdf").write_text("written since")
    (folder / "newer.pdf").write_text("not in the point")
    untouched = (folder / "plan.pdf").stat().st_ctime_ns
    found = compared(kept, "2026")
    assert (found["new"], found["changed"], found["same"]) == (1, 1, 1)
    assert found["named"] == {"new": ["2026/may/invoice.pdf"], "changed": ["2026/may/offer.pdf"]}
    run = put(kept, "2026")
    assert (run.code, run.last["new"], run.last["replaced"], run.last["same"]) == (0, 1, 1, 1), run
    assert [(folder / name).read_text() for name in ("invoice.pdf", "offer.pdf")] == ["invoice.pdf as it was", "offer.pdf as it was"]
    assert (kept.directory / "replaced" / "2026" / "may" / "offer.pdf").read_text() == "written since"
    assert (folder / "newer.pdf").read_text() == "not in the point"
    assert (folder / "plan.pdf").stat().st_ctime_ns == untouched
    assert not (kept.directory / "stage").exists()
    assert compared(kept, "2026")["same"] == 3


def test_one_file_comes_back_with_mode_and_owner_into_folders_that_are_gone_too(kept: World) -> None:
    (kept.uploads / "2026").rename(kept.directory / "away")
    assert put(kept, "2026/may/invoice.pdf", "--password-command=touch pwned").code == 0
    folder = kept.uploads / "2026" / "may"
    assert [path.name for path in folder.iterdir()] == ["invoice.pdf"]
    assert {path.owner() for path in (folder, folder.parent, folder / "invoice.pdf")} == {OWNER}
    assert (folder.stat().st_mode & 0o7777, (folder / "invoice.pdf").stat().st_mode & 0o7777) == (0o2750, 0o640)


def test_a_link_that_somebody_put_in_the_way_is_kept_and_leads_nowhere(kept: World) -> None:
    outside = kept.directory / "outside"
    (outside / "may").mkdir(parents=True)
    (kept.uploads / "2026").rename(kept.directory / "away")
    (kept.uploads / "2026").symlink_to(outside)
    assert put(kept, "2026/may").code == 0
    assert list((outside / "may").iterdir()) == []
    assert (kept.directory / "replaced" / "2026").readlink() == outside
    assert (kept.uploads / "2026" / "may" / "offer.pdf").read_text() == "offer.pdf as it was"


def test_a_folder_where_a_file_was_is_kept_whole(kept: World) -> None:
    file = kept.uploads / "2026" / "may" / "offer.pdf"
    file.unlink()
    file.mkdir()
    (file / "inside").write_text("mine")
    assert put(kept, "2026/may/offer.pdf").code == 0
    assert file.read_text() == "offer.pdf as it was"
    assert (kept.directory / "replaced" / "2026" / "may" / "offer.pdf" / "inside").read_text() == "mine"


def test_files_beside_leave_those_that_are_there_alone(kept: World) -> None:
    target = kept.directory / "restored"
    (kept.uploads / "2026" / "may" / "offer.pdf").write_text("written since")
    run = put(kept, "2026", target=str(target), kept=None)
    assert (run.code, run.last["new"]) == (0, 3)
    assert (target / "2026" / "may" / "offer.pdf").read_text() == "offer.pdf as it was"
    assert (kept.uploads / "2026" / "may" / "offer.pdf").read_text() == "written since"
    again = put(kept, "2026", target=str(target), kept=None)
    assert (again.code, again.last["code"]) == (1, "target")


@pytest.mark.parametrize(
    ("paths", "changes", "code"),
    [
        (["none"], {}, "not_held"),
        (["../password"], {}, "invalid"),
        ([], {}, "invalid"),
        (["2026"], {"owner": "nobody-knows"}, "user_missing"),
        (["2026"], {"stage": "/etc"}, "invalid"),
    ],
)
def test_what_cannot_be_put_changes_nothing(kept: World, paths: list[str], changes: dict[str, str], code: str) -> None:
    if "stage" in changes:
        changes = {"stage": f"{kept.uploads}/inside"}
    before = as_they_are(kept)
    run = put(kept, *paths, **changes)
    assert (run.code != 0, run.last["code"]) == (True, code)
    assert as_they_are(kept) == before
    assert not (kept.directory / "replaced").exists()


def test_kill_9_in_the_middle_loses_no_file_and_it_goes_on(files_world: World) -> None:
    world, replaced = files_world, files_world.directory / "replaced"
    names = [f"{number:04}" for number in range(MANY)]
    write_all(world, names, "then")
    assert world.backup("p1", database=None).code == 0
    write_all(world, names, "written since")
    replaced.mkdir()
    hits: list[int] = []
    for kill in range(KILLS):
        process = world.start("put", put_spec(world, ""))
        wait_until_kept(replaced, (kill + 1) * MANY // (KILLS + 2))
        process.kill()
        process.communicate()
        hits.append(sum(1 for _ in replaced.iterdir()))
        for name in names:  # there at every moment, and what was written since is either still there or kept
            here = (world.uploads / name).read_text()
            assert here in (f"{name} then", f"{name} written since")
            assert here == f"{name} written since" or (replaced / name).read_text() == f"{name} written since"
    assert len([hit for hit in hits if hit < MANY]) > 1, hits
    run = put(world, "")
    assert run.code == 0, run
    assert {(world.uploads / name).read_text() for name in names} == {f"{name} then" for name in names}
    assert {(replaced / name).read_text() for name in names} == {f"{name} written since" for name in names}


def write_all(world: World, names: list[str], text: str) -> None:
    for name in names:
        (world.uploads / name).write_text(f"{name} {text}")


def wait_until_kept(replaced: Path, count: int) -> None:
    """Wait until the moving has come so far."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(1 for _ in replaced.iterdir()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)
