"""A CRM on a host may do little, what crashes comes back, and the host is kept as its administrator wants it.

The tests of a file go on where the one before has ended.
"""

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.host import HostPolicy
from tests.hosts.layers import OLD, TREE, Golden
from tests.hosts.world import CRM, LOGIN, World, a_world
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.support.house import PROGRAMS, wait_for

MOST_EXPOSED = 3.0
UPLOAD = b"hello " * 1000
DOORLESS = """table inet crm_appliance
delete table inet crm_appliance
table inet crm_appliance {
    chain input { type filter hook input priority filter; policy drop; ct state established accept; tcp dport 80 accept; }
}
"""
PATIENCE_SECONDS = 20
CUT_OFF_SECONDS = 60


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def world(lab: Lab, golden_crm: Callable[[str], Golden], request: pytest.FixtureRequest) -> Iterator[World]:
    """An appliance, and a host with a CRM that has just booted."""
    golden = golden_crm(request.param)
    with lab.lending() as host, a_world(golden.home) as opened:
        opened.meet(host(golden.layers.release, golden=golden.layers))
        opened.serves_again(OLD)
        yield opened


@pytest.fixture
def host(world: World) -> LabHost:
    return world.hosts["web1"]


@pytest.fixture
def units(host: LabHost) -> list[str]:
    """The services of the CRM that run."""
    said = host.run(f"systemctl list-units --plain --no-legend --state=active 'crm-{CRM}-*.service'").stdout
    found = [line.split()[0] for line in said.splitlines()]
    assert len(found) == 2, said
    return found


def settings_of(host: LabHost, unit: str, *names: str) -> dict[str, str]:
    said = host.run(["systemctl", "show", f"--property={','.join(names)}", unit]).stdout
    return dict(line.split("=", 1) for line in said.splitlines())


def test_no_service_of_a_crm_is_much_exposed(host: LabHost, units: list[str]) -> None:
    for unit in units:
        said = host.run(["systemd-analyze", "security", "--no-pager", unit]).stdout
        exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        assert exposure, said
        assert float(exposure[1]) <= MOST_EXPOSED, said


def test_a_service_writes_where_its_files_are_and_nowhere_else(world: World, host: LabHost, units: list[str]) -> None:
    deployment = world.appliance.store.instances.get(CRM).deployment
    assert deployment is not None
    for unit in units:
        process = settings_of(host, unit, "MainPID")["MainPID"]
        inside = f"nsenter --mount --target {process} --"
        host.run(f"{inside} touch {deployment.files}/touched && rm {deployment.files}/touched")
        refused = host.run(f"{inside} touch /etc/touched {deployment.release_directory}/touched /srv/crm/{CRM}/log/touched", check=False)
        assert refused.stderr.count("Read-only file system") == 3, refused.stderr
        status = host.run(f"cat /proc/{process}/status").stdout
        assert re.search(r"CapBnd:\s0+\n", status)
        assert re.search(r"NoNewPrivs:\s1\n", status)
        assert re.search(r"Seccomp:\s2\n", status)


def test_services_and_database_have_limits_and_start_in_their_order(host: LabHost, units: list[str]) -> None:
    cluster = host.run("systemctl list-units --plain --no-legend 'postgresql@*'").stdout.split()[0]
    limits = settings_of(host, cluster, "MemoryMax", "TasksMax", "Restart")
    memory = int(host.run("awk '/MemTotal/ {print $2}' /proc/meminfo").stdout) * 1024
    assert abs(int(limits["MemoryMax"]) / memory - 0.5) < 0.01
    assert (limits["TasksMax"], limits["Restart"]) == ("256", "on-failure")
    for unit in units:
        told = settings_of(host, unit, "MemoryMax", "TasksMax", "After", "Wants")
        assert (int(told["MemoryMax"]), told["TasksMax"]) == (1024**3, "256")
        assert cluster in told["After"].split()
        assert cluster in told["Wants"].split()


def test_a_visitor_can_upload_a_file_all_the_same(world: World) -> None:
    with world.visitor() as visitor:
        visitor.follow_redirects = True
        password = world.done("secret", CRM, "admin_password").strip()
        visitor.post(LOGIN, data=hidden(visitor.get(LOGIN).text) | {"username": "root", "password": password})
        form = visitor.get("/documents/document/add").text
        folder = re.search(r'name="linked_folder" value="(\d+)"', form)
        assert folder, form[-3000:]
        fields = hidden(form) | {"user": "1", "title": "Note", "linked_folder": folder[1], "relation_types": "[]"}
        added = visitor.post("/documents/document/add", data=fields, files={"filedata": ("note.txt", UPLOAD)}).text
        download = re.search(r'href="(/creme_core/download/[^"]+)"', added)
        assert download, added[-3000:]
        assert visitor.get(download[1]).content == UPLOAD


def hidden(page: str) -> dict[str, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return {"csrfmiddlewaretoken": found[1]}


@pytest.mark.parametrize("process", ["/run/nginx.pid", f"/run/postgresql/*-{CRM}.pid"])
def test_a_server_that_crashes_comes_back(world: World, host: LabHost, process: str) -> None:
    before = host.run(f"head -qn1 {process}").stdout.strip()
    host.run(f"kill -9 {before}")
    wait_for(lambda: host.run(f"head -qn1 {process}", check=False).stdout.strip() not in {"", before}, seconds=30)
    world.serves_again(OLD, seconds=60)
    assert host.run(f"head -qn1 {process}").stdout.strip() != before


def test_logs_are_rotated_and_nginx_goes_on_in_a_new_file(world: World, host: LabHost) -> None:
    log = f"/srv/crm/{CRM}/log/access.log"
    host.run(f"logrotate --force /etc/logrotate.d/crm-{CRM}")

    def goes_on() -> bool:
        return world.serves(OLD) and LOGIN in host.run(f"cat {log}").stdout

    wait_for(goes_on, seconds=30)
    assert LOGIN in host.run(f"cat {log}.1").stdout


def test_a_host_looks_after_its_clock_and_installs_security_updates_only(world: World, host: LabHost) -> None:
    assert world.appliance.store.hosts.get("web1").policy == HostPolicy(firewall=False, time_sync=True, security_updates=True)
    assert host.run("systemctl is-enabled systemd-timesyncd").stdout.strip() == "enabled"
    said = host.run("unattended-upgrade --dry-run --debug 2>&1 | grep '^Allowed origins'").stdout
    assert said.count("origin=") == said.count("label=Debian-Security") == 1
    assert 'Unattended-Upgrade "1"' in host.run("apt-config dump APT::Periodic::Unattended-Upgrade").stdout
    assert world.appliance.store.hosts.get("web1").facts["security_updates"] == 0


def test_what_was_chosen_stays_chosen(world: World, host: LabHost) -> None:
    world.done("host", "prepare", "web1", "--firewall", "--no-security-updates")
    world.done("host", "prepare", "web1")
    assert detail(world, "policy").endswith("; nothing was missing")
    assert world.appliance.store.hosts.get("web1").policy == HostPolicy(firewall=True, time_sync=True, security_updates=False)
    assert 'Unattended-Upgrade "0"' in host.run("apt-config dump APT::Periodic::Unattended-Upgrade").stdout
    assert "firewall on" in world.done("host", "show", "web1")


def detail(world: World, step: str) -> str:
    newest = world.appliance.store.operations.list()[0]
    return next(str(found.detail) for found in world.operation(newest.id).steps if found.name == step)


def test_the_firewall_lets_administrators_and_visitors_in_and_nobody_else_over_a_boot_too(world: World, host: LabHost) -> None:
    host.reboot()
    host.run("systemd-run --quiet --unit=other python3 -m http.server 9999")
    wait_for(lambda: ":9999" in host.run("ss -Hltn").stdout, seconds=20)
    world.serves_again(OLD)
    assert not lets_in(host, 9999)
    assert "crm-appliance-firewall-way-back" not in host.run("systemctl list-timers --all").stdout


def lets_in(host: LabHost, port: int) -> bool:
    try:
        socket.create_connection((host.address, port), timeout=2).close()
    except TimeoutError:
        return False
    return True


def test_a_firewall_that_locks_the_appliance_out_is_taken_back(host: LabHost, tmp_path: Path) -> None:
    before = host.run("nft list ruleset").stdout
    wrong = {"host_policy_rules": DOORLESS, "host_policy_patience_seconds": PATIENCE_SECONDS}
    ended = play_by_hand(host, tmp_path, wrong)
    assert "UNREACHABLE" in ended.stdout, ended.stdout
    assert not lets_in(host, 22)
    wait_for(lambda: lets_in(host, 22), seconds=CUT_OFF_SECONDS)
    assert host.run("nft list ruleset").stdout == before
    assert "The firewall was taken back" in play_by_hand(host, tmp_path, wrong).stdout
    assert host.run("nft list ruleset").stdout == before


def play_by_hand(host: LabHost, tmp_path: Path, more: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    policy = {"firewall": True, "time_sync": True, "security_updates": False}
    variables = tmp_path / "variables.json"
    told = {"target": host.address, "host": {"service_manager": "systemd"}, "policy": policy, **more}
    variables.write_text(json.dumps({**told, "ansible_python_interpreter": "/usr/bin/python3"}))
    known = f"-o UserKnownHostsFile={host.remote.known_hosts} -o ConnectTimeout=5"
    way = ["-i", f"{host.address},", "-u", host.user, "-b", "--private-key", str(host.key_file), f"--ssh-common-args={known}"]
    argv = [str(PROGRAMS / "ansible-playbook"), *way, "-e", f"@{variables}", "host_policy.yml"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=TREE / "playbooks", timeout=300)


def test_without_the_firewall_nothing_of_it_is_left(world: World, host: LabHost) -> None:
    world.done("host", "prepare", "web1", "--no-firewall")
    assert lets_in(host, 9999)
    assert host.run("nft list ruleset").stdout == ""
    assert host.run("systemctl list-unit-files --no-legend 'crm-appliance-*'", check=False).stdout == ""


def test_a_removed_crm_leaves_no_rules_of_its_own(world: World, host: LabHost) -> None:
    world.done("instance", "remove", CRM, "--yes")
    left = f"ls -d /etc/logrotate.d/crm-{CRM} /etc/crm-host/firewall.d/* /etc/systemd/system/postgresql@* /etc/systemd/system/crm-{CRM}-*"
    assert host.run(left, check=False).stdout == ""
