"""A real SQLite file that is written to while it is backed up: one moment of it is saved, and comes back."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import psutil
import pytest

from tests.support.backup_world import ROWS, Cluster, Run, World
from tests.support.house import wait_for

REPOSITORY = Path(__file__).parents[3]
BOTH = {"contacts": ROWS, "entries": "select count(*) from entry"}
"""Each transaction writes to both tables: in any one moment, they have as many rows."""
DIGEST = "select count(*) || ' ' || total(length(note)) || ' ' || group_concat(name) from (select * from contact order by id)"
WRITES_AND_CRASHES = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("insert into entry values (1)")
connection.commit()
os.kill(os.getpid(), 9)
"""
TABLES = "create table contact (id integer primary key, name text, note text); create table entry (contact integer)"


@dataclass(frozen=True, kw_only=True)
class FileWorld:
    """A repository and a CRM whose database is a file."""

    world: World

    @property
    def file(self) -> Path:
        return self.world.directory / "crm" / "crm.sqlite"

    @property
    def scratch(self) -> Path:
        return self.world.directory / "scratch"

    def database(self, file: Path | None = None, **more: Any) -> dict[str, Any]:
        return {"engine": "sqlite", "file": str(file or self.file), "scratch": str(self.scratch), **more}

    def spec(self, point: str, **changes: Any) -> dict[str, Any]:
        asked = {"database": self.database(), "paths": [], "counts": BOTH, "checksums": {"contacts": DIGEST}}
        return self.world.backup_spec(point, **{**asked, **changes})

    def backup(self, point: str, **changes: Any) -> Run:
        return self.world.run("backup", **self.spec(point, **changes))

    def restore(self, point: str, file: Path, **changes: Any) -> Run:
        return self.world.run("restore", point=point, database=self.database(file), **changes)

    def make(self, *, rows: int, bytes_each: int, journal: str = "wal") -> None:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute(f"pragma journal_mode = {journal}")
            connection.executescript(TABLES)
            for _ in range(rows):
                add_contact(connection, os.urandom(bytes_each // 2).hex())
            connection.commit()


def add_contact(connection: sqlite3.Connection, note: str) -> None:
    made = connection.execute("insert into contact (name, note) values ('O''Brien', ?)", [note])
    connection.execute("insert into entry values (?)", [made.lastrowid])


@contextmanager
def written_to(file: Path) -> Iterator[list[int]]:
    """Write without a pause; gives a list that grows by each transaction. A writer that is kept waiting too long fails the test."""
    stop, done = threading.Event(), list[int]()

    def write() -> None:
        with closing(sqlite3.connect(file, timeout=20)) as connection:
            while not stop.is_set():
                with connection:
                    add_contact(connection, "written meanwhile")
                done.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: len(done) > 0)
        yield done
    finally:
        stop.set()
        writer.join()


def wait_until_read(crm: FileWorld) -> psutil.Process:
    """Until restic reads the copy; gives the process that writes it out."""
    seen: list[psutil.Process] = []

    def reads() -> bool:
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or ["", ""]
            if words[0] == "cat" and words[-1].startswith(str(crm.scratch)):
                seen.append(process)
        return bool(seen)

    wait_for(reads)
    return seen[0]


@pytest.fixture
def crm(tmp_path: Path, cluster: Cluster, empty_repository: Path) -> FileWorld:
    made = FileWorld(world=World(directory=tmp_path, cluster=cluster, location=tmp_path / "repository"))
    made.world.password_file.write_text("a made-up password\n")
    copytree(empty_repository, made.world.location)
    made.scratch.mkdir()
    made.file.parent.mkdir()
    return made


@pytest.fixture
def small_disk(crm: FileWorld) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs-tbackup", str(crm.scratch)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(crm.scratch)], check=True)


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_one_moment_of_a_database_that_is_written_to_comes_back(crm: FileWorld, journal: str) -> None:
    crm.make(rows=3000, bytes_each=4000, journal=journal)
    with written_to(crm.file) as done:
        saved = crm.backup("p1")
        written = len(done)
    assert saved.code == 0, saved
    assert saved.last["counts"]["contacts"] == saved.last["counts"]["entries"] >= 3001
    restored = crm.restore("p1", crm.world.directory / "new.sqlite")
    assert restored.code == 0, restored
    assert (restored.last["counts"], restored.last["checksums"]) == (saved.last["counts"], saved.last["checksums"])
    assert written + 3000 > saved.last["counts"]["contacts"]
    with closing(sqlite3.connect(crm.world.directory / "new.sqlite")) as copy:
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
        assert copy.execute("pragma journal_mode").fetchone() == (journal,)
    assert list(crm.scratch.iterdir()) == []


def test_what_a_crash_left_in_the_write_ahead_log_is_saved_too(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    assert subprocess.run([sys.executable, "-c", WRITES_AND_CRASHES, str(crm.file)], check=False).returncode == -9
    assert crm.file.with_name("crm.sqlite-wal").stat().st_size > 0
    assert crm.backup("p1").last["counts"] == {"contacts": 10, "entries": 11}
    assert crm.restore("p1", crm.world.directory / "new.sqlite").last["counts"] == {"contacts": 10, "entries": 11}


def test_files_stay_or_become_their_owners(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    os.chown(crm.file, 1, 1)
    with closing(sqlite3.connect(crm.file)) as connection:
        connection.execute(ROWS)
        assert crm.backup("p1").code == 0
        assert {path.stat().st_uid for path in crm.file.parent.iterdir()} == {1}
    target = crm.world.directory / "new.sqlite"
    assert crm.restore("p1", target, owner="nobody").code == 0
    assert (target.owner(), target.stat().st_mode & 0o7777) == ("nobody", 0o600)


def test_plain_restic_brings_the_file_back_by_hand(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    assert crm.backup("p1").code == 0
    crm.world.restic("restore", "latest", "--tag", "crm=demo,point=p1,part=database", "--target", str(crm.world.directory / "by-hand"))
    with closing(sqlite3.connect(crm.world.directory / "by-hand" / "database.sqlite")) as copy:
        assert copy.execute(ROWS).fetchone() == (10,)


def test_an_administrator_restores_a_file_with_flags(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    assert crm.backup("p1").code == 0
    target = crm.world.directory / "new.sqlite"
    flags = ["restore", *crm.world.flags, "--point", "p1", "--engine", "sqlite", "--database", str(target)]
    ended = subprocess.run([sys.executable, "-m", "backup", *flags], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert ended.returncode == 0, ended
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute(ROWS).fetchone() == (10,)


def test_a_copy_whose_reading_dies_midway_leaves_no_point(crm: FileWorld) -> None:
    crm.make(rows=50, bytes_each=2_000_000)
    process = crm.world.start("backup", crm.spec("p1"))
    wait_until_read(crm).kill()
    ended = crm.world.ended(process)
    assert (ended.code, ended.last["code"]) == (1, "backup_failed")
    assert "No recovery point was made" in ended.said
    assert (crm.world.points(), crm.world.leftovers(), list(crm.scratch.iterdir())) == ([], [], [])


def test_kill_9_leaves_no_point_and_the_next_backup_removes_the_copy(crm: FileWorld) -> None:
    crm.make(rows=50, bytes_each=2_000_000)
    process = crm.world.start("backup", crm.spec("p1"))
    reading = wait_until_read(crm)
    process.kill()
    process.communicate()
    wait_for(lambda: not reading.is_running())
    assert (crm.world.points(), crm.world.leftovers(), len(list(crm.scratch.iterdir()))) == ([], [], 1)
    assert crm.backup("p1").code == 0
    assert (crm.world.points(), crm.world.leftovers(), list(crm.scratch.iterdir())) == (["p1"], [], [])


def test_a_missing_file_and_one_that_is_no_database_are_told_apart(crm: FileWorld) -> None:
    missing = crm.backup("p1")
    crm.file.write_text("Dear customer, " * 1000)
    wrong = crm.backup("p1")
    crm.file.write_bytes(b"")
    empty = crm.backup("p1")
    assert [run.last["code"] for run in (missing, wrong, empty)] == ["database_missing", "database_damaged", "database_damaged"]
    assert {run.code for run in (missing, wrong, empty)} == {1}
    assert "earlier recovery points are unchanged" in missing.said
    assert not crm.world.points()


def test_a_damaged_page_is_found_before_anything_is_saved(crm: FileWorld) -> None:
    crm.make(rows=200, bytes_each=2000, journal="delete")
    with crm.file.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 4096)
    ended = crm.backup("p1", counts={}, checksums={})
    assert (ended.code, ended.last["code"]) == (1, "database_damaged")
    assert (crm.world.points(), crm.world.leftovers()) == ([], [])


def test_a_database_that_somebody_holds_for_himself_is_told(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100, journal="delete")
    with closing(sqlite3.connect(crm.file, isolation_level=None)) as holder:
        holder.execute("begin exclusive")
        ended = crm.backup("p1")
    assert (ended.code, ended.last["code"]) == (1, "database_busy")


@pytest.mark.usefixtures("small_disk")
def test_a_copy_without_room_is_told(crm: FileWorld) -> None:
    crm.make(rows=1000, bytes_each=2000)
    ended = crm.backup("p1")
    assert (ended.code, ended.last["code"]) == (1, "disk_full")
    assert list(crm.scratch.iterdir()) == []


@pytest.mark.parametrize("beside", ["", "-wal", "-journal"])
def test_nothing_is_restored_over_a_file_or_beside_what_one_left(crm: FileWorld, beside: str) -> None:
    crm.make(rows=10, bytes_each=100)
    assert crm.backup("p1").code == 0
    taken = crm.world.directory / f"new.sqlite{beside}"
    taken.write_text("kept")
    ended = crm.restore("p1", crm.world.directory / "new.sqlite")
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert "Nothing was restored" in ended.said
    assert taken.read_text() == "kept"


def test_a_query_cannot_change_the_database(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    ended = crm.world.run("inspect", database=crm.database(), counts={"gone": "delete from contact returning 1"})
    assert (ended.code, ended.last["code"]) == (1, "bad_query")
    assert crm.world.run("inspect", database=crm.database(), counts=BOTH).last["counts"] == {"contacts": 10, "entries": 10}


def test_a_point_of_one_engine_is_not_restored_into_another(crm: FileWorld) -> None:
    crm.make(rows=10, bytes_each=100)
    assert crm.backup("p1").code == 0
    ended = crm.world.run("restore", point="p1", database=crm.world.cluster.spec("tb_copy"), role="crm")
    assert (ended.code, ended.last["code"]) == (1, "part_missing")
