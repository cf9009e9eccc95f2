"""A panel on one machine and a CRM on another: an operation outlives a reboot of the panel's machine, and its memory moves to a new one."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.hosts import layers
from tests.lab.host import LabHost
from tests.lab.lab import Lab, Lending
from tests.production.conftest import Produced
from tests.production.site import Site, wait_for

Booted = Callable[[str], Site]
PRODUCT = Path(__file__).resolve().parents[1] / "playbooks" / "product" / "ledgerly"
CRM = "crm.example.org"


@pytest.fixture
def pair(lab: Lab, site: Booted, host: Lending) -> tuple[Site, LabHost]:
    """A panel that has added a second machine by the key that the administrator brought there."""
    made, far = site("bookworm"), host("bookworm", golden=layers.prepared(lab, "bookworm").layers)
    made.host.run("mkdir -p /etc/appliance/products")
    made.host.put(PRODUCT, "/etc/appliance/products/ledgerly")
    made.host.put(far.key_file, "/root/key-of-crm1")
    words = f"--address {far.address} --user admin --key /root/key-of-crm1 --fingerprint {far.fingerprint}"
    made.done(f"host add crm1 {words}")
    made.done("host prepare crm1")
    return made, far


def serves(far: LabHost) -> bool:
    try:
        with httpx.Client(verify=False) as client:  # noqa: S501 - whether it serves is asked, not who it is
            answer = client.get(f"https://{far.address}/", headers={"Host": CRM}, extensions={"sni_hostname": CRM})
    except httpx.HTTPError:
        return False
    return answer.status_code < 400


def test_an_operation_goes_on_after_a_reboot_and_a_new_machine_takes_over_from_a_backup(
    pair: tuple[Site, LabHost], site: Booted, produced: dict[str, Produced], tmp_path: Path
) -> None:
    made, far = pair
    made.done(f"install ledgerly --name crm --host crm1 --set domain={CRM} --detach")
    number = 2
    wait_for(lambda: '"release"' in made.done(f"operation show {number} --json"), "the installation to begin")
    wait_for(lambda: _runs(made, number, "release"), "the release to be built")
    made.host.reboot()
    assert made.ended(number) == "succeeded"
    wait_for(lambda: serves(far), "the CRM to serve")
    made.host.run("cd /root && appliance self-backup backup.tar.gz && test $(stat -c %a backup.tar.gz) = 600")
    made.host.get("/root/backup.tar.gz", tmp_path)
    authority = made.authority
    made.host.destroy()

    bare = site("trixie")
    bare.host.put(tmp_path / "backup.tar.gz", "/root/backup.tar.gz")
    assert "succeeded" in bare.done("self-restore /root/backup.tar.gz")
    assert bare.authority == authority
    bare.trusted = authority
    assert bare.answers()
    assert bare.log_in(produced["bookworm"].password).status_code == 303
    assert "crm1" in bare.done("host list --json")
    bare.done("backup crm")
    refused = bare.command("self-restore /root/backup.tar.gz")
    assert (refused.returncode, "1 hosts and 1 CRMs" in refused.stderr) == (5, True)
    assert serves(far)


def _runs(made: Site, number: int, step: str) -> bool:
    steps = json.loads(made.done(f"operation show {number} --json"))["steps"]
    return any(one["name"] == step and one["status"] == "running" for one in steps)
