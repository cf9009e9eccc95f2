"""A real MariaDB server that is written to while it is backed up: one moment of it is saved, and comes back."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import psutil
import pytest

from tests.support.backup_world import ROWS, Cluster, Run, World
from tests.support.halting_socket import halting
from tests.support.house import wait_for
from tests.support.mariadb_server import Server, running_server

REPOSITORY = Path(__file__).parents[3]
BOTH = {"contacts": ROWS, "entries": "select count(*) from entry"}
"""Each transaction writes to both tables: in any one moment, they have as many rows."""
DIGEST = "select concat(count(*), ' ', sum(crc32(concat_ws('|', id, name, hex(picture)))), ' ', max(id)) from contact"
SCHEMA = (
    "create table contact (id int primary key auto_increment, name varchar(200) character set utf8mb4, picture blob)",
    "create table entry (contact int)",
    "create table `zz-last` (id int)",
    "insert into contact (name, picture) select concat('O''Brien \"', seq, '\" ☎ 😀'), concat(unhex('000D0A1A27'), repeat(md5(seq), 20))"
    " from seq_1_to_5000",
    "insert into entry select id from contact",
    "create view names as select name from contact",
    "create trigger upper before insert on contact for each row set new.name = ucase(new.name)",
    "create procedure greet() begin select 'hello'; select 'again'; end",
    "create event nightly on schedule every 1 day starts '2030-01-01' do delete from `zz-last`",
)


ROWS_ASKED = b"SELECT /*!40001"
"""How mariadb-dump begins to ask for the rows of a table; the first one is `contact`."""
FIRST_ROWS_BYTES = 1 << 19
"""More than mariadb-dump keeps to itself before it writes, and less than the table has."""


@dataclass(frozen=True, kw_only=True)
class ServerWorld:
    """A repository and a CRM whose database is on a MariaDB server."""

    world: World
    server: Server

    def spec(self, point: str, **changes: Any) -> dict[str, Any]:
        asked = {"database": self.server.spec("tb_live"), "paths": [], "counts": BOTH, "checksums": {"contacts": DIGEST}}
        return self.world.backup_spec(point, **{**asked, **changes})

    def backup(self, point: str, **changes: Any) -> Run:
        return self.world.run("backup", **self.spec(point, **changes))

    def restore(self, point: str, name: str = "tb_copy") -> Run:
        return self.world.run("restore", point=point, database=self.server.spec(name))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as found:
        yield found


@pytest.fixture
def crm(tmp_path: Path, cluster: Cluster, empty_repository: Path, server: Server) -> ServerWorld:
    made = ServerWorld(world=World(directory=tmp_path, cluster=cluster, location=tmp_path / "repository"), server=server)
    made.world.password_file.write_text("a made-up password\n")
    copytree(empty_repository, made.world.location)
    server.create("tb_live")
    server.create("tb_copy")
    server.sql("tb_live", *SCHEMA)
    return made


@contextmanager
def written_to(server: Server) -> Iterator[list[float]]:
    """Write without a pause; gives a list that grows by how many seconds each transaction took."""
    stop, took = threading.Event(), list[float]()

    def write() -> None:
        with closing(server.connected("tb_live")) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                began = datetime.now(UTC)
                connection.begin()
                cursor.execute("insert into contact (name) values ('written meanwhile')")
                cursor.execute("insert into entry values (%s)", [cursor.lastrowid])
                connection.commit()
                took.append((datetime.now(UTC) - began).total_seconds())

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: len(took) > 0)
        yield took
    finally:
        stop.set()
        writer.join()


def dumps(socket: Path) -> list[psutil.Process]:
    """The programs that dump through this socket: mariadb-dump itself."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if words[0] == "mariadb-dump" and f"--socket={socket}" in words:
            found.append(process)
    return found


@dataclass(frozen=True)
class HeldDump:
    """A backup whose dump stands still: mariadb-dump has some rows of the first table."""

    backup: "subprocess.Popen[str]"
    program: psutil.Process


@contextmanager
def dump_held(crm: ServerWorld) -> Iterator[HeldDump]:
    """Begin a backup, and keep its dump still until the block ends; its programs have to end then."""
    socket = crm.server.folder / "halting.sock"
    with halting(crm.server.socket, socket, ROWS_ASKED, after_bytes=FIRST_ROWS_BYTES) as halt:
        backup = crm.world.start("backup", crm.spec("p1", database={**crm.server.spec("tb_live"), "socket": str(socket)}))
        try:
            assert halt.reached.wait(60), "mariadb-dump did not ask for a table"
            (program,) = dumps(socket)
            yield HeldDump(backup=backup, program=program)
            halt.go_on.set()
            wait_for(lambda: not dumps(socket))
        finally:
            halt.go_on.set()
            backup.wait(60)
    socket.unlink()


def test_one_moment_of_a_database_that_is_written_to_comes_back(crm: ServerWorld) -> None:
    with written_to(crm.server) as took:
        saved = crm.backup("p1")
        slowest, written = max(took), len(took)
    assert saved.code == 0, saved
    assert saved.last["counts"]["contacts"] == saved.last["counts"]["entries"] > 5000
    restored = crm.restore("p1")
    assert restored.code == 0, restored
    assert (restored.last["counts"], restored.last["checksums"]) == (saved.last["counts"], saved.last["checksums"])
    assert saved.last["counts"]["contacts"] < 5000 + written
    assert slowest < 2, f"a transaction had to wait for {slowest} s"


def test_views_triggers_routines_and_events_come_back(crm: ServerWorld) -> None:
    assert crm.backup("p1").code == 0
    assert crm.restore("p1").code == 0
    crm.server.sql("tb_copy", "insert into contact (name) values ('written later')")
    assert crm.server.answer("tb_copy", "select name from names order by 1 desc") == "WRITTEN LATER"
    assert crm.server.answer("tb_copy", "call greet()") == "hello"
    assert crm.server.answer("tb_copy", "select event_name from information_schema.events where event_schema = 'tb_copy'") == "nightly"


def test_the_record_says_where_in_the_binary_log_the_dump_is(crm: ServerWorld) -> None:
    with written_to(crm.server):
        binlog = crm.backup("p1").last["binlog"]
    dump = crm.world.restic("dump", "latest", "--tag", "crm=demo,point=p1,part=database", "/database.sql")
    at = re.search(r"^-- CHANGE MASTER TO MASTER_LOG_FILE='(.+)', MASTER_LOG_POS=(\d+);$", dump, re.MULTILINE)
    assert at is not None
    assert (at[1], int(at[2])) == (binlog["file"], binlog["position"])
    assert re.fullmatch(r"0-1-\d+", binlog["gtid"])
    assert binlog["database"] == "tb_live"


def test_rows_written_during_the_dump_are_neither_counted_nor_restored(crm: ServerWorld) -> None:
    with dump_held(crm) as held:
        crm.server.sql("tb_live", "insert into contact (name) values ('too late')", "delete from entry")
    assert crm.world.ended(held.backup).last["counts"] == {"contacts": 5000, "entries": 5000}
    assert crm.restore("p1").last["counts"] == {"contacts": 5000, "entries": 5000}
    assert crm.world.run("inspect", database=crm.server.spec("tb_live"), counts=BOTH).last["counts"] == {"contacts": 5001, "entries": 0}


def test_a_dump_that_dies_midway_leaves_no_point(crm: ServerWorld) -> None:
    with dump_held(crm) as held:
        held.program.kill()
    ended = crm.world.ended(held.backup)
    assert (ended.code, ended.last["code"]) == (1, "backup_failed")
    assert "mariadb-dump ended with code -9. No recovery point was made" in ended.said
    assert (crm.world.points(), crm.world.leftovers()) == ([], [])


def test_kill_9_ends_the_programs_too_and_the_next_backup_works(crm: ServerWorld) -> None:
    with dump_held(crm) as held:
        held.backup.kill()
    held.backup.communicate()
    assert (crm.world.points(), crm.world.leftovers()) == ([], [])
    assert crm.backup("p1").code == 0
    assert (crm.world.points(), crm.world.leftovers()) == (["p1"], [])


def test_sigterm_cancels_a_backup_and_ends_its_programs(crm: ServerWorld) -> None:
    with dump_held(crm) as held:
        held.backup.terminate()
    ended = crm.world.ended(held.backup)
    assert (ended.code, ended.last["code"]) == (130, "cancelled")
    assert crm.world.points() == []


def test_commits_go_on_when_a_dump_cannot_begin(crm: ServerWorld) -> None:
    crm.server.sql("tb_live", "rename table contact to `zz-contact`")
    with closing(crm.server.connected("tb_live")) as holder, holder.cursor() as cursor:
        cursor.execute("lock tables entry write")
        ended = crm.backup("p1")
    crm.server.sql("tb_live", "insert into entry values (1)")
    assert (ended.code, ended.last["code"]) == (1, "database_busy")
    assert (crm.world.points(), crm.world.leftovers()) == ([], [])


def test_plain_restic_and_mariadb_bring_a_point_back_by_hand(crm: ServerWorld) -> None:
    saved = crm.backup("p1").last
    dump = crm.world.restic("dump", "latest", "--tag", "crm=demo,point=p1,part=database", "/database.sql")
    entry = ["mariadb", "--no-defaults", f"--socket={crm.server.socket}", "--user=root", "--binary-mode", "tb_copy"]
    subprocess.run(entry, input=dump, text=True, check=True)
    measured = crm.world.run("inspect", database=crm.server.spec("tb_copy"), checksums=saved["queries"]["checksums"])
    assert measured.last["checksums"] == saved["checksums"]


def test_an_administrator_restores_with_flags(crm: ServerWorld) -> None:
    assert crm.backup("p1").code == 0
    flags = [
        "restore",
        *crm.world.flags,
        "--point",
        "p1",
        "--engine",
        "mariadb",
        "--database",
        "tb_copy",
        "--socket",
        str(crm.server.socket),
    ]
    ended = subprocess.run([sys.executable, "-m", "backup", *flags], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert ended.returncode == 0, ended
    assert crm.server.answer("tb_copy", ROWS) == 5000


def test_a_stopped_server_and_a_missing_database_are_told_apart(crm: ServerWorld) -> None:
    missing = crm.backup("p1", database=crm.server.spec("nothing_here"))
    stopped = crm.backup("p1", database=crm.server.spec("tb_live", socket=str(crm.world.directory / "none.sock")))
    refused = crm.backup("p1", database=crm.server.spec("tb_live", user="nobody_here"))
    assert [run.last["code"] for run in (missing, stopped, refused)] == ["database_missing", "database_stopped", "database_refused"]
    assert "earlier recovery points are unchanged" in stopped.said


def test_a_database_that_is_not_empty_is_not_restored_into(crm: ServerWorld) -> None:
    assert crm.backup("p1").code == 0
    crm.server.sql("tb_copy", "create view kept as select 1 as one")
    ended = crm.restore("p1")
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert "Nothing was restored" in ended.said
    assert crm.server.answer("tb_copy", "select one from kept") == 1


def test_tables_that_know_no_transactions_are_refused_by_name(crm: ServerWorld) -> None:
    crm.server.sql("tb_live", "create table log_old (id int) engine = Aria")
    ended = crm.backup("p1")
    assert (ended.code, ended.last["code"]) == (1, "not_transactional")
    assert "log_old" in ended.said


def test_a_query_that_fails_leaves_no_point(crm: ServerWorld) -> None:
    ended = crm.backup("p1", counts={"gone": "select count(*) from nowhere"})
    writing = crm.world.run("inspect", database=crm.server.spec("tb_live"), counts={"gone": "delete from entry"})
    assert (ended.code, ended.last["code"], writing.last["code"]) == (1, "bad_query", "bad_query")
    assert (crm.world.points(), crm.world.leftovers()) == ([], [])
    assert crm.server.answer("tb_live", BOTH["entries"]) == 5000
