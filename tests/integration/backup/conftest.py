"""The world of the backup package's tests; the cluster is made once and dropped at the end."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.backup_world import CLUSTER, PORT, VERSION, Cluster, World, quietly
from tests.support.cheap_restic_key import make_opening_cheap
from tests.support.traces import drop_clusters

NO_CLUSTER = Cluster(sockets=Path("/nowhere"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with TemporaryDirectory(prefix="tbackup-") as folder:  # pytest's own folders are closed to the user postgres
        sockets = Path(folder)
        sockets.chmod(0o777)
        with running_cluster(sockets) as found:
            yield found


@contextmanager
def running_cluster(sockets: Path) -> Iterator[Cluster]:
    drop_clusters(CLUSTER)
    options = ["-o", "listen_addresses=", "-o", "fsync=off"]
    quietly("pg_createcluster", "-s", str(sockets), "-p", str(PORT), *options, VERSION, CLUSTER, "--", "--no-sync")
    folder = Path(f"/etc/postgresql/{VERSION}/{CLUSTER}")
    (folder / "pg_hba.conf").write_text("local all,replication all peer map=tbackup\n")
    (folder / "pg_ident.conf").write_text("tbackup root postgres\n")
    try:
        quietly("pg_ctlcluster", VERSION, CLUSTER, "start")
        found = Cluster(sockets=sockets)
        found.sql("postgres", "create role crm login")
        yield found
    finally:
        drop_clusters(CLUSTER)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised repository to copy: restic takes seconds to make one."""
    folder = tmp_path_factory.mktemp("empty")
    made = World(directory=folder, cluster=NO_CLUSTER, location=folder / "repository")
    made.password_file.write_text("a made-up password\n")
    assert made.run("init").last["created"] is True
    make_opening_cheap(made.location, made.password_file.read_text().strip())
    return made.location


@pytest.fixture
def world(tmp_path: Path, cluster: Cluster, empty_repository: Path) -> World:
    """A CRM of 300 contacts and two uploads, and an empty repository."""
    return make_world(tmp_path, cluster, empty_repository)


@pytest.fixture
def files_world(tmp_path: Path, empty_repository: Path) -> World:
    """Two uploads and an empty repository; no database server is started."""
    return make_files(tmp_path, empty_repository, NO_CLUSTER)


@pytest.fixture(scope="session")
def only_once_saved(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, empty_repository: Path) -> World:
    made = make_world(tmp_path_factory.mktemp("saved"), cluster, empty_repository)
    assert made.backup("p1").code == 0
    return made


@pytest.fixture
def saved(only_once_saved: World) -> World:
    """A world with the recovery point p1, for tests that change nothing in its repository, and an empty database to restore into."""
    only_once_saved.cluster.create("tb_copy")
    return only_once_saved


@pytest.fixture
def saved_copy(saved: World, tmp_path: Path) -> World:
    """The same with a repository of the test's own."""
    shutil.copytree(saved.location, tmp_path / "repository")
    return replace(saved, location=tmp_path / "repository")


def make_world(folder: Path, cluster: Cluster, empty_repository: Path) -> World:
    made = make_files(folder, empty_repository, cluster)
    cluster.create_crm("tb_live", rows=300)
    cluster.create("tb_copy")
    return made


def make_files(folder: Path, empty_repository: Path, cluster: Cluster) -> World:
    made = World(directory=folder, cluster=cluster, location=folder / "repository")
    made.password_file.write_text("a made-up password\n")
    made.uploads.mkdir()
    (made.uploads / 'report "1"\nof\'May.txt').write_text("a file name with quotes and a newline")
    (made.uploads / "--password-command=touch pwned").write_text("a file name like an option")
    shutil.copytree(empty_repository, made.location)
    return made
