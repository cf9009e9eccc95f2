"""Whatever goes wrong while recovery points are made, shipped, given up or restored, those that were good come back with every record."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.backup_cases import FAULTS
from tests.faults.backup_stage import played
from tests.support.backup_world import Cluster, make_repository, running_cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as found:
        yield found


@pytest.fixture(scope="module")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("empty"))


@pytest.mark.parametrize("fault", FAULTS)
def test_no_recovery_point_is_lost(
    fault: str, tmp_path: Path, cluster: Cluster, empty_repository: Path, record_property: Callable[[str, object], None]
) -> None:
    stage = played(FAULTS[fault], tmp_path, cluster, empty_repository, record_property)
    assert stage.proofs > 0
    assert stage.good
    assert stage.lost == []
