"""A base and the log of a CRM, and a server of its own that is recovered from it, for tests of the backup package."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backup.shipping import NEVER
from backup.spool import Spool
from tests.support.backup_world import CLUSTER, PORT, VERSION, Cluster, World, quietly, sockets_of_a_cluster
from tests.support.house import wait_for
from tests.support.traces import drop_clusters

COPY = f"{CLUSTER}copy"
COPY_PORT = PORT + 1


def base(world: World, **more: Any) -> None:
    """Save the files that the log is replayed onto."""
    spool = str(world.directory / "spool")
    run = world.run("base", **{"crm": "demo", "base": "b1", "database": world.cluster.spec("tb_live"), "spool": spool, **more})
    assert run.code == 0, run


def shipped(world: World) -> int:
    """How many snapshots of the log there are."""
    return world.restic("snapshots", "--tag", "part=wal", "--json").count('"short_id"')


def noted_as_shipped(world: World, outlet: str) -> datetime | None:
    """Up to when everything lies in a repository, as those are told who watch over it."""
    noted = Spool(directory=world.directory / "spool", outlet=outlet).shipped()
    return noted.at if noted else None


def wait_until_shipped(world: World) -> None:
    """Until everything that is committed now lies in the repository, and in segments that are full."""
    world.cluster.sql("tb_live", "select pg_switch_wal()")
    now = datetime.now(UTC)
    wait_for(lambda: (noted_as_shipped(world, "log") or NEVER) > now, seconds=240)  # a busy machine takes seconds for each snapshot


@contextmanager
def recovered(world: World, **until: Any) -> Iterator[Cluster]:
    """A server of its own, as it comes up after the recovery."""
    drop_clusters(COPY)
    with sockets_of_a_cluster() as sockets:
        try:
            yield _recovered_into(world, sockets, until)
        finally:
            drop_clusters(COPY)


def _recovered_into(world: World, sockets: Path, until: dict[str, Any]) -> Cluster:
    data = Path(f"/var/lib/postgresql/{VERSION}/{COPY}")
    quietly("pg_createcluster", "-s", str(sockets), "-p", str(COPY_PORT), "-o", "listen_addresses=", VERSION, COPY, "--", "--no-sync")
    shutil.rmtree(data)
    run = world.run("recover", crm="demo", target=str(data), wal=str(sockets / "log"), **until)
    assert run.code == 0, run
    for name in ("pg_hba.conf", "pg_ident.conf"):
        shutil.copy(f"/etc/postgresql/{VERSION}/{CLUSTER}/{name}", f"/etc/postgresql/{VERSION}/{COPY}/{name}")
    quietly("pg_ctlcluster", VERSION, COPY, "start")
    copy = Cluster(sockets=sockets, port=COPY_PORT)
    wait_for(lambda: copy.answer("postgres", "select pg_is_in_recovery()") is False)
    return copy
