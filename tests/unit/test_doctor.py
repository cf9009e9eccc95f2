"""What the doctor says of managed hosts; small programs in the place of ssh say what such a machine would."""

import json
from pathlib import Path

import pytest

from appliance.doctor import examine
from appliance.domain.host import HostState
from appliance.hosts.tools import archive_digest
from appliance.wiring import Appliance
from tests.support.far_machine import FarMachine, put_in_the_way
from tests.support.operating import make_appliance
from tests.support.web_world import FACTS, NOON, add_sales, add_web1


@pytest.fixture
def appliance(tmp_path: Path) -> Appliance:
    return make_appliance(tmp_path / "appliance")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarMachine:
    return put_in_the_way(tmp_path, monkeypatch)


def said_of_hosts(appliance: Appliance) -> dict[str, tuple[bool, str]]:
    return {finding.subject: (finding.ok, finding.text) for finding in examine(appliance) if finding.subject.startswith(("host ", "sales"))}


@pytest.mark.usefixtures("machine")
def test_a_host_that_is_well_is_called_so(appliance: Appliance) -> None:
    add_web1(appliance)
    appliance.store.hosts.see("web1", FACTS | {"tools": archive_digest()}, now=NOON)
    assert said_of_hosts(appliance) == {
        "host web1": (True, "Debian GNU/Linux 12 (bookworm)"),
        "host web1 tools": (True, "current"),
        "host web1 /": (True, "has room"),
        "host web1 /var": (True, "has room"),
    }


@pytest.mark.usefixtures("machine")
def test_a_host_that_was_not_prepared_or_by_another_version_is_to_be_prepared(appliance: Appliance) -> None:
    add_web1(appliance, state=HostState.ADDED)
    assert said_of_hosts(appliance)["host web1 prepared"] == (False, "not prepared yet; run: appliance host prepare web1")
    appliance.store.hosts.mark("web1", HostState.READY)
    assert said_of_hosts(appliance)["host web1 tools"] == (False, "not those of this version; run: appliance host prepare web1")


def test_a_full_disk_of_a_host_is_named(appliance: Appliance, machine: FarMachine) -> None:
    add_web1(appliance)
    disks = {"/var": {"total_bytes": 10**10, "free_bytes": 10**8}}
    (machine.programs / "facts.json").write_text(json.dumps(FACTS | {"disks": disks}))
    assert said_of_hosts(appliance)["host web1 /var"] == (False, "95 MB free and 2048 MB are needed; make room there")


def test_a_lost_host_hides_nothing_else(appliance: Appliance, machine: FarMachine) -> None:
    add_web1(appliance)
    add_sales(appliance)
    with appliance.store.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE instances SET host = 'web1'")
    machine.refuse()
    said = said_of_hosts(appliance)
    assert (said["host web1"][0], "does not let the appliance log in" in said["host web1"][1]) == (False, True)
    assert said["sales"] == (False, "cannot be asked; see what is said of host web1")
