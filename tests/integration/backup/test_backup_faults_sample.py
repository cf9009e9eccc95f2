"""A few of the faults of backups, for every day; `bin/test faults` tries all of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.backup_cases import FAULTS, SAMPLE
from tests.faults.backup_stage import played
from tests.support.backup_world import Cluster


@pytest.mark.parametrize("fault", SAMPLE)
def test_no_recovery_point_is_lost(
    fault: str, tmp_path: Path, cluster: Cluster, empty_repository: Path, record_property: Callable[[str, object], None]
) -> None:
    stage = played(FAULTS[fault], tmp_path, cluster, empty_repository, record_property)
    assert stage.proofs > 0
    assert stage.good
    assert stage.lost == []
