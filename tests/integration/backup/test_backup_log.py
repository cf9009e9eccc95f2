"""A base and the log received since, of a real server: every committed row comes back, at any moment that is asked for."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from backup.shipping import NEVER
from tests.support.backup_log import base, noted_as_shipped, recovered, shipped, wait_until_shipped
from tests.support.backup_world import CLUSTER, ROWS, VERSION, World, contents_of, quietly, receiving
from tests.support.house import wait_for
from tests.support.rest_server import append_only_server, free_port

RECEIVED_WITHIN_SECONDS = 0.5
"""The server does not wait for the receiver when it commits; what it committed in its last milliseconds can be lost with its disk."""
REPORTED_WITHIN_SECONDS = 8
"""By itself, pg_receivewal reports each ten seconds."""


@pytest.fixture
def streaming(world: World) -> Iterator[World]:
    """A CRM whose log is received and shipped."""
    with receiving(world, {}):
        yield world


def test_every_row_that_was_committed_comes_back(streaming: World) -> None:
    base(streaming)
    streaming.cluster.sql("tb_live", "insert into contact (name) select 'late ' || n from generate_series(1, 500) n")
    rows = streaming.cluster.answer("tb_live", ROWS)
    wait_until_shipped(streaming)
    with recovered(streaming) as copy:
        assert copy.answer("tb_live", ROWS) == rows == 800


def test_a_moment_before_a_mistake_comes_back(streaming: World) -> None:
    base(streaming)
    streaming.cluster.sql("tb_live", "insert into contact (name) values ('before')")
    time.sleep(1.1)
    moment = datetime.now(UTC)
    time.sleep(0.2)
    streaming.cluster.sql("tb_live", "delete from contact")
    wait_until_shipped(streaming)
    with recovered(streaming, at=moment.isoformat()) as copy:
        assert copy.answer("tb_live", ROWS) == 301


def test_a_recovery_point_without_a_dump_is_exact(streaming: World) -> None:
    base(streaming)
    streaming.cluster.sql("tb_live", "insert into contact (name) values ('counted')")
    point = streaming.backup("p1", dump=False, spool=str(streaming.directory / "spool")).last
    assert (point["counts"], point["wal"]["exact"], point["snapshots"]["database"]) == ({"contacts": 301}, True, None)
    streaming.cluster.sql("tb_live", "insert into contact (name) values ('later')")
    wait_until_shipped(streaming)
    with recovered(streaming, point="p1") as copy:
        assert copy.answer("tb_live", ROWS) == 301


def test_a_recovery_point_without_a_dump_has_brought_the_log_that_leads_to_it(world: World) -> None:
    with receiving(world, {}, every_seconds=3600):
        base(world)
        world.cluster.sql("tb_live", "insert into contact (name) values ('counted')")
        assert world.backup("p1", dump=False, spool=str(world.directory / "spool")).code == 0
        with recovered(world, point="p1") as copy:
            assert copy.answer("tb_live", ROWS) == 301


def test_a_recovery_point_without_a_dump_is_refused_where_nobody_receives_the_log(world: World) -> None:
    with receiving(world, {}, every_seconds=3600):
        base(world)
    ended = world.backup("p1", dump=False, spool=str(world.directory / "spool"))
    assert (ended.code, ended.last["code"]) == (1, "no_log")
    assert world.points() == []


def test_nothing_that_was_committed_is_lost_with_the_server_and_its_disk(streaming: World) -> None:
    base(streaming)
    data = Path(streaming.cluster.answer("tb_live", "show data_directory"))
    streaming.cluster.sql("tb_live", *[f"insert into contact (name) values ('committed {n}')" for n in range(200)])  # noqa: S608 - a number
    time.sleep(RECEIVED_WITHIN_SECONDS)
    try:
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        data.rename(data.with_name("gone"))
        spool = {"spool": str(streaming.directory / "spool"), "database": streaming.cluster.spec("tb_live")}
        assert streaming.run("ship", crm="demo", **spool).code == 0  # as a restore does first
        with recovered(streaming) as copy:
            assert copy.answer("tb_live", ROWS) == 500
    finally:
        data.with_name("gone").rename(data)
        quietly("pg_ctlcluster", VERSION, CLUSTER, "start")


def test_a_log_goes_on_when_its_receiver_was_killed(streaming: World) -> None:
    base(streaming)
    subprocess.run(["pkill", "-9", "-f", f"pg_receivewal.*{streaming.directory}"], check=True)
    streaming.cluster.sql("tb_live", "insert into contact (name) values ('while nobody listened')")
    wait_until_shipped(streaming)
    with recovered(streaming) as copy:
        assert copy.answer("tb_live", ROWS) == 301


def test_what_leads_back_is_listed(streaming: World) -> None:
    assert streaming.run("bases", crm="demo").last["bases"] == []
    base(streaming, record={"release": "2.7.13"})
    wait_until_shipped(streaming)
    (listed,) = streaming.run("bases", crm="demo").last["bases"]
    assert (listed["id"], listed["record"]) == ("b1", {"release": "2.7.13"})
    assert datetime.fromisoformat(listed["at"]) < datetime.fromisoformat(listed["until"]) <= datetime.now(UTC)


def test_what_leads_back_is_given_up_when_nobody_needs_it(streaming: World) -> None:
    base(streaming)
    wait_until_shipped(streaming)
    since = datetime.now(UTC)
    assert streaming.run("forget", crm="demo", log_since=since.isoformat()).last["bases"] == 0
    base(streaming, base="b2")
    wait_until_shipped(streaming)
    given_up = streaming.run("forget", crm="demo", log_since=datetime.now(UTC).isoformat())
    assert (given_up.code, given_up.last["bases"]) == (0, 1), given_up
    (left,) = streaming.run("bases", crm="demo").last["bases"]
    assert (left["id"], left["until"] is not None) == ("b2", True)
    assert streaming.run("forget", crm="demo", log_at_all=False).code == 0
    assert streaming.run("bases", crm="demo").last["bases"] == []


def test_a_base_does_not_wait_long_until_the_receiver_tells_what_it_has(streaming: World) -> None:
    """The end of the copying is the end of a segment, of which the receiver tells nothing at once."""
    base(streaming, base="b1")
    began = time.monotonic()
    base(streaming, base="b2")
    assert time.monotonic() - began < REPORTED_WITHIN_SECONDS


def test_a_base_without_its_log_is_refused(world: World) -> None:
    spool = world.directory / "nothing"
    run = world.run("base", crm="demo", base="b1", database=world.cluster.spec("tb_live"), spool=str(spool))
    assert (run.code, run.last["code"]) == (1, "no_log")
    assert (
        run.said
        == f"No log is received into {spool}. Start the verb stream first. No base was saved; the CRM and its earlier bases are unchanged."
    )


def test_what_was_received_is_shipped_when_nobody_receives_any_more(world: World) -> None:
    spool = world.directory / "spool"
    spec = {"crm": "demo", "database": world.cluster.spec("tb_live"), "spool": str(spool), "ship_every_seconds": 3600}
    receiving = world.start("stream", {"repository": world.repository, **spec})
    wait_for(lambda: any(spool.glob("receiving/*.partial")))
    world.cluster.sql("tb_live", "insert into contact (name) values ('last')")
    receiving.send_signal(signal.SIGTERM)
    world.ended(receiving)
    assert shipped(world) == 0
    assert world.run("ship", crm="demo", spool=str(spool), database=world.cluster.spec("tb_live"), ended=True).last["snapshot"]
    assert shipped(world) == 1
    assert world.cluster.answer("postgres", "select count(*) from pg_replication_slots") == 0


def test_a_moment_after_the_last_change_can_be_asked_for(streaming: World) -> None:
    """PostgreSQL refuses such a target by itself."""
    base(streaming)
    streaming.cluster.sql("tb_live", "insert into contact (name) values ('the last')")
    time.sleep(0.2)
    moment = datetime.now(UTC)
    time.sleep(0.2)
    spool = str(streaming.directory / "spool")
    assert streaming.run("ship", crm="demo", spool=spool, database=streaming.cluster.spec("tb_live")).code == 0
    with recovered(streaming, at=moment.isoformat()) as copy:
        assert copy.answer("tb_live", ROWS) == 301


@contextmanager
def relaying(world: World, port: int) -> Iterator[dict[str, Any]]:
    """A CRM whose log is received, shipped, and shipped elsewhere; gives the repository there."""
    elsewhere = world.repository_at(port)
    with receiving(world, {"offsite": elsewhere}):
        yield elsewhere


def test_what_was_received_lies_elsewhere_when_machine_and_repository_are_gone(world: World) -> None:
    with append_only_server(world.directory / "elsewhere") as port, relaying(world, port) as elsewhere:
        base(world)
        assert world.run("copy", repository=elsewhere, source=world.repository).code == 0
        world.cluster.sql("tb_live", "insert into contact (name) select 'late ' || n from generate_series(1, 500) n")
        committed = datetime.now(UTC)

        def lies_there() -> bool:
            (known,) = world.run("bases", repository=elsewhere, crm="demo").last["bases"]
            return bool(known["until"] and datetime.fromisoformat(known["until"]) > committed)

        wait_for(lies_there, seconds=120)
        noted = noted_as_shipped(world, "log-offsite")
        assert noted is not None
        assert noted > committed
        shutil.rmtree(world.location)
        with recovered(world, repository=elsewhere) as copy:
            assert copy.answer("tb_live", ROWS) == 800


def test_a_place_that_is_away_keeps_nothing_from_being_shipped_here(world: World) -> None:
    with relaying(world, free_port()):
        base(world)
        before = shipped(world)
        world.cluster.sql("tb_live", "insert into contact (name) values ('late')")
        wait_until_shipped(world)
        assert shipped(world) > before
        assert noted_as_shipped(world, "log-offsite") is None
        idle = datetime.now(UTC)
        wait_for(lambda: (noted_as_shipped(world, "log") or NEVER) > idle)  # nothing was changed since, and nothing is missing


def test_what_ships_elsewhere_is_started_again_when_it_was_killed(world: World) -> None:
    def relays() -> set[int]:
        """Those of this world; another test's may be there, too."""
        told, home = ["-m", "backup", "relay"], str(world.directory)
        found = [one for one in psutil.process_iter(["cmdline", "environ"]) if (one.info["cmdline"] or [])[1:4] == told]
        return {one.pid for one in found if (one.info["environ"] or {}).get("HOME") == home}

    with append_only_server(world.directory / "elsewhere") as port, relaying(world, port):
        wait_for(relays)
        first = relays()
        for pid in first:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: relays() - first)
    assert relays() == set()


def test_the_files_of_a_recovery_point_come_back_beside_the_database(streaming: World) -> None:
    base(streaming)
    assert streaming.backup("p1", dump=False, spool=str(streaming.directory / "spool")).code == 0
    restored = streaming.directory / "restored"
    beside = {"point": "p1", "files": {str(streaming.uploads): str(restored)}, "owner": "nobody"}
    with recovered(streaming, point="p1", beside=beside) as copy:
        assert copy.answer("tb_live", ROWS) == 300
    assert contents_of(restored) == contents_of(streaming.uploads) != {}
    assert {path.owner() for path in (restored, *restored.rglob("*"))} == {"nobody"}


def test_files_that_cannot_come_back_beside_the_database_are_named_before_anything_is_restored(streaming: World) -> None:
    base(streaming)
    assert streaming.backup("p1", dump=False, spool=str(streaming.directory / "spool")).code == 0
    target, wal, restored = (streaming.directory / name for name in ("cluster", "wal", "restored"))
    for point, source, code in (("p9", streaming.uploads, "point_missing"), ("p1", "/srv/other", "part_missing")):
        beside = {"point": point, "files": {str(source): str(restored)}}
        run = streaming.run("recover", crm="demo", target=str(target), wal=str(wal), beside=beside)
        assert (run.code, run.last["code"]) == (1, code)
        assert (target.exists(), wal.exists(), restored.exists()) == (False, False, False)


@pytest.mark.parametrize("files", [{}, {"/srv/files": "/srv/cluster"}, {"/srv/files": "/srv/cluster/files"}])
def test_files_beside_the_database_need_places_of_their_own(world: World, files: dict[str, str]) -> None:
    run = world.run("recover", crm="demo", target="/srv/cluster", wal="/srv/wal", beside={"point": "p1", "files": files})
    assert (run.code, run.last["code"]) == (2, "invalid")
