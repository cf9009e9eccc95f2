"""The files of a recovery point, looked at and given out one by one."""

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.backup_world import World

REPOSITORY = Path(__file__).parents[3]
HOSTILE = ('report "1"\nof\'May.txt', "--password-command=touch pwned", "-rf", "<script>alert(1)", "a:b [red]", "\u202egpj.exe", "é")
LARGE_BYTES = 64 * 1024 * 1024
MOST_OF_OURS_BYTES = 60 * 1024 * 1024


@pytest.fixture
def kept(files_world: World) -> World:
    """A world whose recovery point p1 holds files with names of every kind, some of them in a folder."""
    world = files_world
    for name in HOSTILE:
        (world.uploads / name).write_text(f"in {name}")
    (world.uploads / "2026" / "may").mkdir(parents=True)
    (world.uploads / "2026" / "may" / "invoice.pdf").write_text("an invoice")
    (world.uploads / "link").symlink_to("/etc/passwd")
    return world


def saved(world: World) -> World:
    assert world.backup("p1", database=None).code == 0
    return world


def spec_of(world: World, path: str, **more: Any) -> dict[str, Any]:
    return {"repository": world.repository, "point": "p1", "crm": "demo", "source": str(world.uploads), "path": path, **more}


def started(spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "backup", "read"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=REPOSITORY)
    assert process.stdin is not None
    process.stdin.write(json.dumps(spec).encode())
    process.stdin.close()
    process.stdin = None
    return process


def read(world: World, path: str, **more: Any) -> tuple[int, bytes, list[dict[str, Any]]]:
    process = started(spec_of(world, path, **more))
    given, told = process.communicate(timeout=60)
    return process.returncode, given, [json.loads(line) for line in told.decode().splitlines()]


def listed(world: World, path: str = "", **more: Any) -> Any:
    run = world.ended(world.start("files", spec_of(world, path, **more)))
    assert run.code == 0, run
    return run.last


def test_a_directory_is_listed_with_what_is_known_of_each_entry(kept: World) -> None:
    found = listed(saved(kept))
    entries = {entry["name"]: entry for entry in found["entries"]}
    assert set(HOSTILE) < entries.keys()
    assert found["count"] == len(entries) == len(list(kept.uploads.iterdir()))
    assert (entries["2026"]["kind"], entries["link"]["kind"]) == ("dir", "symlink")
    assert (entries["-rf"]["kind"], entries["-rf"]["size"], entries["-rf"]["permissions"]) == ("file", 6, "-rw-r--r--")
    assert [entry["name"] for entry in listed(kept, "2026/may")["entries"]] == ["invoice.pdf"]
    own = listed(kept, "2026/may/invoice.pdf")
    assert (own["kind"], own["size"], own["entries"]) == ("file", 10, [])


def test_a_long_directory_comes_page_by_page(kept: World) -> None:
    whole = [entry["name"] for entry in listed(saved(kept))["entries"]]
    pages = [listed(kept, after=after, limit=4) for after in range(0, len(whole), 4)]
    assert [entry["name"] for page in pages for entry in page["entries"]] == whole
    assert {page["count"] for page in pages} == {len(whole)}


def test_a_file_comes_out_as_it_was_whatever_it_is_called(kept: World) -> None:
    saved(kept)
    for name in HOSTILE:
        code, given, told = read(kept, name)
        assert (code, given.decode()) == (0, f"in {name}")
        assert (told[0]["event"], told[0]["kind"], told[0]["size"]) == ("begins", "file", len(given))
        assert told[-1]["event"] == "result"


def test_a_folder_comes_out_as_an_archive(kept: World) -> None:
    saved(kept)
    for path, name in (("2026", "2026/may/invoice.pdf"), ("", "2026/may/invoice.pdf"), ("2026/may", "may/invoice.pdf")):
        code, given, told = read(kept, path)
        assert (code, told[0]["kind"], told[0]["size"]) == (0, "dir", None)
        with tarfile.open(fileobj=io.BytesIO(given)) as archive:
            names = [one.lstrip("/") for one in archive.getnames()]
            assert any(one.endswith(name) for one in names), (path, names)
    code, given, _ = read(kept, "2026", archive="zip")
    with zipfile.ZipFile(io.BytesIO(given)) as zipped:
        assert any(one.endswith("may/invoice.pdf") for one in zipped.namelist())


@pytest.mark.parametrize(
    ("path", "code"),
    [("nothing", "not_held"), ("2026/none", "not_held"), ("link", "no_file"), ("../password", "invalid"), ("/etc", "invalid")],
)
def test_what_is_not_held_is_refused_before_anything_comes_out(kept: World, path: str, code: str) -> None:
    saved(kept)
    ended, given, told = read(kept, path)
    assert (ended != 0, given, told[-1]["event"], told[-1]["code"]) == (True, b"", "error", code)


def test_a_tree_that_the_point_does_not_hold_is_refused(kept: World) -> None:
    saved(kept)
    run = kept.ended(kept.start("files", spec_of(kept, "") | {"source": "/etc"}))
    assert (run.code, run.last["code"]) == (1, "part_missing")


def test_a_password_that_is_lent_opens_the_repository_and_is_on_no_disk(kept: World) -> None:
    saved(kept)
    password = kept.password_file.read_text()
    kept.password_file.unlink()
    repository = {**kept.repository, "password_file": "/lent/password"}
    lent: dict[str, Any] = {"repository": repository, "lent": {"password": password}}
    assert listed(kept, **lent)["count"] > 1
    code, given, _ = read(kept, "-rf", **lent)
    assert (code, given) == (0, b"in -rf")
    run = kept.ended(kept.start("files", spec_of(kept, "", **lent) | {"lent": {"password": "another"}}))
    assert run.code == 12


def test_who_goes_away_ends_restic_and_a_large_file_is_never_held_in_memory(kept: World) -> None:
    (kept.uploads / "large").write_bytes(os.urandom(LARGE_BYTES))
    saved(kept)
    process = started(spec_of(kept, "large"))
    assert process.stdout is not None
    process.stdout.read(4096)
    (restic,) = children_of(process.pid)
    time.sleep(1)  # nobody reads on
    assert resident_bytes(process.pid) < MOST_OF_OURS_BYTES
    process.stdout.close()
    _, told = process.communicate(timeout=20)
    assert (process.returncode, json.loads(told.decode().splitlines()[-1])["code"]) == (130, "cancelled")
    assert not Path(f"/proc/{restic}").exists()


def test_a_damaged_file_ends_with_an_error_not_with_its_end(kept: World) -> None:
    (kept.uploads / "large").write_bytes(os.urandom(LARGE_BYTES))
    saved(kept)
    largest = max((kept.location / "data").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    largest.chmod(0o600)
    with largest.open("r+b") as pack:
        pack.seek(1000)
        pack.write(b"\0" * 1000)
    code, given, told = read(kept, "large")
    assert code != 0
    assert len(given) < LARGE_BYTES
    assert (told[0]["event"], told[-1]["event"]) == ("begins", "error")


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
