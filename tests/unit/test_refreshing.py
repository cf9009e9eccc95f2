"""Hosts whose programs are of another version of the appliance are prepared anew, by the appliance itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.host import Host, HostPolicy, HostState
from appliance.domain.operation import OperationStatus
from appliance.hosts.tools import archive_digest
from appliance.operations.refreshing import Refreshing, refresh_tools
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path)


def add(appliance: Appliance, name: str, tools: str | None, *, state: HostState = HostState.READY) -> None:
    appliance.store.hosts.add(Host(name=name, address="192.0.2.1", host_key="ssh-ed25519 AAAA", created_at=NOON))
    appliance.store.hosts.see(name, {"tools": tools}, now=NOON)
    appliance.store.hosts.mark(name, state)


def test_each_that_is_behind_is_prepared_once_with_its_own_policy(appliance: Appliance) -> None:
    add(appliance, "web1", "of an earlier version")
    add(appliance, "web2", archive_digest())
    add(appliance, "web3", None, state=HostState.ADDED)
    appliance.store.hosts.set_policy("web1", HostPolicy(firewall=True))
    assert refresh_tools(appliance, NOON) == ["web1"]
    (operation,) = appliance.store.operations.list()
    assert (operation.kind, operation.instance, operation.requested_by) == ("host-prepare", "host:web1", "the appliance")
    assert operation.parameters["firewall"] is True
    assert refresh_tools(appliance, NOON) == []


def test_one_that_failed_is_tried_again_after_an_hour(appliance: Appliance) -> None:
    add(appliance, "web1", "of an earlier version")
    refresh_tools(appliance, NOON)
    (operation,) = appliance.store.operations.list()
    appliance.store.operations.finish(operation.id, OperationStatus.FAILED, now=NOON)
    assert refresh_tools(appliance, NOON + timedelta(minutes=59)) == []
    assert refresh_tools(appliance, NOON + timedelta(hours=1)) == ["web1"]


def test_nothing_is_asked_while_something_is_carried_out(appliance: Appliance) -> None:
    add(appliance, "web1", "of an earlier version")
    refreshing = Refreshing(monotonic=lambda: 0.0)
    refreshing.look(appliance, NOON, idle=False)
    assert appliance.store.operations.list() == []
    refreshing.look(appliance, NOON, idle=True)
    assert [operation.instance for operation in appliance.store.operations.list()] == ["host:web1"]
