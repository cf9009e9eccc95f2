"""A dump and the binary log received since, of a real MariaDB server: every committed row comes back, at any second that is asked for."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import psutil
import pytest

from tests.support.backup_world import ROWS, Cluster, Run, World
from tests.support.house import wait_for
from tests.support.mariadb_server import Server, running_server

TABLE = "create table contact (id int primary key auto_increment, name varchar(200), picture blob)"
FILL = "insert into contact (name, picture) select concat('O''Brien ', seq), unhex('000D0A1A27') from seq_1_to_300"
ADD = "insert into contact (name) values ('committed')"
RECEIVED_WITHIN_SECONDS = 0.5
"""The server does not wait for the receiver when it commits; what it committed in its last milliseconds can be lost with its disk."""


@dataclass(frozen=True, kw_only=True)
class Streaming:
    """A CRM on a server of its own, whose binary log is received and shipped."""

    world: World
    server: Server

    @property
    def spool(self) -> Path:
        return self.world.directory / "spool"

    @property
    def log(self) -> dict[str, Any]:
        return {"repository": self.world.repository, "crm": "demo", "database": self.server.spec("tb_live"), "spool": str(self.spool)}

    def start(self, *, ship_every_seconds: float = 1) -> "subprocess.Popen[str]":
        return self.world.start("stream", {**self.log, "ship_every_seconds": ship_every_seconds})

    def backup(self, point: str) -> Run:
        asked = {"database": self.server.spec("tb_live"), "paths": [], "spool": str(self.spool), "counts": {"contacts": ROWS}}
        run = self.world.run("backup", **self.world.backup_spec(point, **asked, checksums={}))
        assert run.code == 0, run
        return run

    def add(self, count: int) -> None:
        self.server.sql("tb_live", *[ADD] * count)

    def ship(self) -> Run:
        return self.world.run("ship", **self.log)

    def files(self) -> list[str]:
        return sorted({path.name for path in self.spool.glob("receiving/*/*")})


@contextmanager
def running(crm: Streaming, *, ship_every_seconds: float = 1) -> Iterator["subprocess.Popen[str]"]:
    """Receive for the length of a block."""
    receiving = crm.start(ship_every_seconds=ship_every_seconds)
    wait_for(crm.files)
    try:
        yield receiving
    finally:
        receiving.send_signal(signal.SIGTERM)
        assert crm.world.ended(receiving).code in {130, -9}


@pytest.fixture
def crm(tmp_path: Path, cluster: Cluster, empty_repository: Path) -> Iterator[Streaming]:
    world = World(directory=tmp_path, cluster=cluster, location=tmp_path / "repository")
    world.password_file.write_text("a made-up password\n")
    copytree(empty_repository, world.location)
    with running_server() as server:
        server.create("tb_live")
        server.sql("tb_live", TABLE, FILL)
        yield Streaming(world=world, server=server)


@pytest.fixture
def fresh() -> Iterator[Server]:
    """Another server, with an empty database of the same name."""
    with running_server() as server:
        server.create("tb_live")
        yield server


def replay(crm: Streaming, fresh: Server, **more: Any) -> Run:
    return crm.world.run("replay", crm="demo", database=fresh.spec("tb_live"), scratch=str(crm.world.directory), **more)


def test_nothing_that_was_committed_is_lost_with_the_server_and_its_disk(crm: Streaming, fresh: Server) -> None:
    with running(crm):
        crm.backup("p1")
        crm.add(100)
        crm.server.sql("tb_live", "flush binary logs")
        crm.add(100)
        time.sleep(RECEIVED_WITHIN_SECONDS)
        crm.server.end(signal.SIGKILL)
        shutil.rmtree(crm.server.data)
        assert crm.ship().code == 0  # as a restore does first
        back = replay(crm, fresh)
    assert back.code == 0, back
    assert (back.last["point"], back.last["files"]) == ("p1", 2)
    assert fresh.answer("tb_live", ROWS) == 500
    assert fresh.answer("tb_live", "select count(*) from contact where picture = unhex('000D0A1A27')") == 300


def test_a_moment_before_a_mistake_comes_back(crm: Streaming, fresh: Server) -> None:
    with running(crm):
        crm.backup("p1")
        crm.add(1)
        time.sleep(1.1)
        moment = datetime.now(UTC)
        time.sleep(1.1)
        crm.server.sql("tb_live", "delete from contact", "drop table contact")
        assert crm.ship().code == 0
        back = replay(crm, fresh, at=moment.isoformat())
    assert back.code == 0, back
    assert fresh.answer("tb_live", ROWS) == 301


def test_a_log_goes_on_when_all_that_receives_it_was_killed(crm: Streaming, fresh: Server) -> None:
    with running(crm) as receiving:
        crm.backup("p1")
        crm.add(1)
        receiving.kill()
    wait_for(lambda: not receivers(crm))
    crm.server.sql("tb_live", ADD, "flush binary logs", ADD, "flush binary logs", ADD)
    with running(crm):
        crm.add(1)
        time.sleep(RECEIVED_WITHIN_SECONDS)
        assert crm.ship().code == 0
        assert replay(crm, fresh).code == 0
    assert fresh.answer("tb_live", ROWS) == 305


def receivers(crm: Streaming) -> list[psutil.Process]:
    of_ours = f"--socket={crm.server.socket}"
    found = psutil.process_iter(["cmdline"])
    return [one for one in found if (one.info["cmdline"] or [""])[0] == "mariadb-binlog" and of_ours in one.info["cmdline"]]


def test_a_receiver_that_was_killed_is_started_again(crm: Streaming, fresh: Server) -> None:
    with running(crm):
        crm.backup("p1")
        (killed,) = receivers(crm)
        os.kill(killed.pid, signal.SIGKILL)
        crm.add(1)
        wait_for(lambda: [one for one in receivers(crm) if one.pid != killed.pid])
        time.sleep(RECEIVED_WITHIN_SECONDS)
        assert crm.ship().code == 0
        assert replay(crm, fresh).code == 0
    assert fresh.answer("tb_live", ROWS) == 301


def test_a_part_of_an_event_at_the_end_is_left_out(crm: Streaming, fresh: Server) -> None:
    with running(crm, ship_every_seconds=3600):  # what is whole may not lie there before
        crm.backup("p1")
        crm.add(2)
        time.sleep(RECEIVED_WITHIN_SECONDS)
    crm.server.end()
    (last,) = crm.spool.glob("receiving/*/*")
    os.truncate(last, last.stat().st_size - 60)
    assert crm.ship().code == 0
    assert replay(crm, fresh).code == 0
    assert fresh.answer("tb_live", ROWS) in {300, 301}


def test_a_gap_is_refused_by_name(crm: Streaming) -> None:
    with running(crm):
        crm.backup("p1")
        crm.server.sql("tb_live", *["flush binary logs", ADD] * 3)
        wait_for(lambda: len(crm.files()) == 4)
    missing = crm.files()[1]
    next(crm.spool.glob(f"receiving/*/{missing}")).unlink()
    crm.add(1)
    ended = crm.ship()
    assert (ended.code, ended.last["code"]) == (1, "log_gap")
    assert missing in ended.said
    assert "The log that was received is kept" in ended.said


def test_a_server_that_threw_its_log_away_is_told(crm: Streaming) -> None:
    with running(crm):
        crm.backup("p1")
    last = crm.files()[-1]
    crm.server.sql("tb_live", *["flush binary logs"] * 2)
    newest = str(crm.server.answer("tb_live", "show master status"))

    def purged() -> bool:
        """A server keeps what it still sends; it notices a receiver that has gone when it sends the next."""
        crm.server.sql("tb_live", f"purge binary logs to '{newest}'")
        oldest = str(crm.server.answer("tb_live", "show binary logs"))
        return bool(oldest == newest)

    wait_for(purged)
    ended = crm.world.ended(crm.start())
    assert (ended.code, ended.last["code"]) == (1, "log_lost")
    assert last in ended.said


def test_a_moment_that_nothing_leads_to_is_refused(crm: Streaming, fresh: Server) -> None:
    began = datetime.now(UTC)
    with running(crm):
        crm.backup("p1")
        assert crm.ship().code == 0
    for moment in (began, datetime.now(UTC)):
        ended = replay(crm, fresh, at=moment.isoformat())
        assert (ended.code, ended.last["code"]) == (1, "no_way")
    assert "Nothing was restored" in ended.said


def test_a_log_is_replayed_into_a_server_of_its_own_only(crm: Streaming, fresh: Server) -> None:
    with running(crm):
        crm.backup("p1")
        assert crm.ship().code == 0
    fresh.create("another")
    ended = replay(crm, fresh)
    assert (ended.code, ended.last["code"]) == (1, "not_empty")
    assert "another" in ended.said
    assert fresh.answer("information_schema", "select count(*) from tables where table_schema = 'tb_live'") == 0


def test_what_is_older_than_the_newest_dump_leaves_the_spool_once_it_is_shipped(crm: Streaming, fresh: Server) -> None:
    with running(crm):
        crm.backup("p1")
        crm.server.sql("tb_live", ADD, "flush binary logs", ADD)
        wait_for(lambda: len(crm.files()) == 2)
        crm.backup("p2")
        crm.add(1)
        wait_for(lambda: len(crm.files()) == 1)
        crm.add(1)
        time.sleep(RECEIVED_WITHIN_SECONDS)
        assert crm.ship().code == 0
        assert replay(crm, fresh).last["point"] == "p2"
    assert fresh.answer("tb_live", ROWS) == 304
