"""The world of the backup package's tests; the cluster is made once and dropped at the end."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.backup_world import NO_CLUSTER, Cluster, World, make_files, make_repository, make_world, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as found:
        yield found


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initialised repository to copy: restic takes seconds to make one."""
    return make_repository(tmp_path_factory.mktemp("empty"))


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
