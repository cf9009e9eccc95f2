"""Hosts whose programs are of another version of the appliance are prepared anew, by the appliance itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.host import Host, HostPolicy, HostState
from appliance.domain.operation import OperationStatus
from appliance.hosts.tools import archive_digest
from appliance.operations.pausing import pause_all, resume_all
from appliance.operations.refreshing import Refreshing, refresh_stacks, refresh_tools
from appliance.operations.stack.files import stack_files
from appliance.operations.stack.kept import keep_stack, note_stack
from appliance.wiring import Appliance
from tests.support.operating import make_appliance
from tests.support.web_world import NOON, add_sales, add_web1


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


def test_while_schedules_are_paused_hosts_stay_as_they_are(appliance: Appliance) -> None:
    add(appliance, "web1", "of an earlier version")
    pause_all(appliance, reason="", length=None, by="ada", now=NOON)
    assert refresh_tools(appliance, NOON) == []
    resume_all(appliance, by="ada", now=NOON)
    assert refresh_tools(appliance, NOON) == ["web1"]


@pytest.fixture
def with_stack(tmp_path: Path) -> Appliance:
    """Prometheus on web1 watches what there is."""
    made = make_appliance(tmp_path / "stack", metrics_listen="192.0.2.1:9471")
    add_web1(made)
    keep_stack(made, "web1", "")
    note_stack(made, "web1", stack_files(made, made.store.hosts.get("web1"), ("192.0.2.1", 9471), NOON).digest)
    return made


def test_prometheus_is_told_by_itself_what_else_there_is_to_watch(with_stack: Appliance) -> None:
    assert refresh_stacks(with_stack, NOON) == []
    add_sales(with_stack)
    assert refresh_stacks(with_stack, NOON) == ["web1"]
    (operation,) = with_stack.store.operations.list()
    assert (operation.kind, operation.instance, operation.requested_by) == ("monitoring-stack", "host:web1", "the appliance")
    assert refresh_stacks(with_stack, NOON) == []
    with_stack.store.operations.finish(operation.id, OperationStatus.FAILED, now=NOON)
    assert refresh_stacks(with_stack, NOON + timedelta(minutes=59)) == []
    assert refresh_stacks(with_stack, NOON + timedelta(hours=1)) == ["web1"]


def test_a_stack_that_is_not_there_yet_is_left_to_who_installs_it(with_stack: Appliance) -> None:
    note_stack(with_stack, "web1", "")
    assert refresh_stacks(with_stack, NOON) == []


def test_nothing_is_asked_while_something_is_carried_out(appliance: Appliance) -> None:
    add(appliance, "web1", "of an earlier version")
    refreshing = Refreshing(monotonic=lambda: 0.0)
    refreshing.look(appliance, NOON, idle=False)
    assert appliance.store.operations.list() == []
    refreshing.look(appliance, NOON, idle=True)
    assert [operation.instance for operation in appliance.store.operations.list()] == ["host:web1"]
