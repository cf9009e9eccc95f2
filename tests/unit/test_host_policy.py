"""What is wanted of a host is said once and kept; this machine is left to whoever looks after it."""

from pathlib import Path

import pytest

from appliance.domain.host import Host, HostPolicy
from appliance.errors import InvalidRequest
from appliance.operations.requesting import request
from appliance.wiring import Appliance
from tests.support.operating import make_appliance, now


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    made = make_appliance(tmp_path)
    made.store.hosts.add(Host(name="web1", address="192.0.2.1", host_key="ssh-ed25519 AAAA", created_at=now()))
    return made


def test_a_host_has_its_clock_set_and_security_updates_installed_unless_something_else_is_said(appliance: Appliance) -> None:
    operation = request(appliance, "host-prepare", "host:web1", {}, requested_by="admin", now=now())
    assert operation.parameters == {"firewall": False, "time_sync": True, "security_updates": True}


def test_what_is_not_said_stays_as_it_was(appliance: Appliance) -> None:
    appliance.store.hosts.set_policy("web1", HostPolicy(firewall=True, time_sync=False, security_updates=True))
    operation = request(appliance, "host-prepare", "host:web1", {"security_updates": False}, requested_by="admin", now=now())
    assert operation.parameters == {"firewall": True, "time_sync": False, "security_updates": False}


def test_this_machine_is_given_no_policy(appliance: Appliance) -> None:
    with pytest.raises(InvalidRequest, match="left to its administrator"):
        request(appliance, "host-prepare", "host:localhost", {"firewall": True}, requested_by="admin", now=now())
    assert appliance.store.operations.list() == []


def test_it_can_be_read_by_people() -> None:
    assert str(HostPolicy()) == "firewall off, time synchronisation on, security updates on"
