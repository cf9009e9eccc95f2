"""The targets file, as the worker writes it and the monitor reads it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitoring.targets import Target, Targets, read_targets, write_targets

PROBE = {"kind": "sql", "socket_directory": "/run/x", "port": 5440, "database": "crm", "query": "SELECT 1", "equals": 1}


def target(**changes: Any) -> Target:
    facts = {"crm": "demo", "product": "sample", "release": "2.7.13", "probes": {"ready": PROBE}, "maintenance_flag": "/x/maintenance.on"}
    return Target.model_validate(facts | changes)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "targets.json"
    write_targets(path, [target(), target(crm="other")])
    assert read_targets(path) == Targets(targets=(target(), target(crm="other")))
    assert list(tmp_path.iterdir()) == [path]


def test_a_probe_is_named_by_its_key() -> None:
    assert target().probes["ready"].name == "ready"


def test_a_file_that_is_replaced_gets_another_inode(tmp_path: Path) -> None:
    path = tmp_path / "targets.json"
    write_targets(path, [target()])
    before = path.stat().st_ino
    with path.open() as reader:
        write_targets(path, [])
        assert "demo" in reader.read()
    assert path.stat().st_ino != before


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    write_targets(tmp_path / "targets.json", [target()])
    assert (tmp_path / "targets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "changes",
    [
        {"crm": "../etc"},
        {"interval_seconds": 0},
        {"probes": {"ready": {"kind": "magic"}}},
        {"probes": {"service": PROBE}},
        {"probes": ["ready"]},
        {"surprise": 1},
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        target(**changes)


def test_a_crm_occurs_only_once(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="only once"):
        write_targets(tmp_path / "targets.json", [target(), target()])
    assert list(tmp_path.iterdir()) == []
