"""A part of an instance is restored: what the deployment that is made has in common with the one that serves, and what is refused."""

from pathlib import Path

import pytest

from appliance.errors import InvalidRequest
from appliance.operations.requesting import request
from appliance.operations.run import Run
from appliance.operations.steps.restoring import share_what_stays
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now
from tests.support.web_world import add_sales

OLD = {"database": "crm_0001", "cluster": 2, "files": "/srv/files/0001", "id": "0001"}
NEW = {"database": "crm_0002", "cluster": 0, "files": "/srv/files/0002", "id": "0002"}


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    add_sales(made)
    return made


@pytest.mark.parametrize(("only", "shared"), [(None, set()), ("database", {"files"}), ("files", {"database", "cluster"})])
def test_what_is_not_restored_is_had_in_common(appliance: Appliance, only: str | None, shared: set[str]) -> None:
    operation = request(appliance, "restore", "sales", {"only": only}, requested_by="Alice", now=now())
    run = Run(
        appliance=appliance,
        operation=operation,
        step="preflight",
        interrupted=False,
        cancellable=False,
        now=now,
        end_children_here=lambda: None,
    )
    run.remember(new=NEW, old=OLD)
    for _ in range(2):  # a step may be called again
        share_what_stays(run)
    assert {part for part in OLD if run.memory["new"][part] == OLD[part]} == shared


@pytest.mark.parametrize("more", [{"at": "latest"}, {"at": "2026-11-22T14:05:00Z"}, {"way": "log"}])
def test_files_alone_come_from_a_recovery_point(appliance: Appliance, more: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="Files alone come from a recovery point"):
        request(appliance, "restore", "sales", {"only": "files", **more}, requested_by="Alice", now=now())
    with pytest.raises(InvalidRequest, match="only"):
        request(appliance, "restore", "sales", {"only": "everything"}, requested_by="Alice", now=now())
    assert appliance.store.operations.list() == []
