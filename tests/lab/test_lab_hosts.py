"""Hosts of the lab are real ones: systemd, ssh, packages, reboots, power cuts, full disks, cut cables, stepped clocks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lab.host import LabHost
from tests.lab.lab import Lab, Lending
from tests.lab.programs import run
from tests.lab.remote import HostFailed
from tests.support.operating import await_true

RELEASES = {"bookworm": "12", "trixie": "13"}
SLEEPER = """[Service]
ExecStart=sleep infinity
[Install]
WantedBy=multi-user.target
"""


@pytest.mark.parametrize("release", RELEASES)
def test_a_host_boots_to_the_end_and_lets_its_users_in(host: Lending, release: str) -> None:
    made = host(release)
    assert made.wait_until_running() == "running", made.run("systemctl --failed").stdout
    assert f'VERSION_ID="{RELEASES[release]}"' in made.run("cat /etc/os-release").stdout
    assert made.run("hostname").stdout == f"{made.name}\n"
    assert made.run("sudo -n id -un", user="admin").stdout == "root\n"
    assert "password is required" in made.run("sudo -n id", user="nosudo", check=False).stderr


@pytest.mark.parametrize("release", RELEASES)
def test_packages_come_through_the_proxy_alone(host: Lending, release: str) -> None:
    made = host(release)
    made.run("apt-get -q update && apt-get -q -y install --no-install-recommends python3-pip-whl")
    made.run('export PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)"; python3 -m pip install -q --target /opt/pip uv')
    made.run("/opt/pip/bin/uv pip install -q --no-cache --target /opt/uv idna")
    assert made.run("PYTHONPATH=/opt/uv python3 -c 'import idna; print(idna.__file__)'").stdout == "/opt/uv/idna/__init__.py\n"
    refused = made.run("ip route get 192.0.2.1; curl -s -m 5 http://192.0.2.1", check=False)
    assert "Network is unreachable" in refused.stderr
    assert refused.returncode == 7


def test_ssh_shows_the_key_that_the_host_is_known_by(host: Lending) -> None:
    made = host()
    scanned = run("ssh-keyscan", "-t", "ed25519", made.address)
    assert scanned.split()[-2:] == made.host_key.split()
    assert run("ssh-keygen", "-lf", "-", text=scanned).split()[1] == made.fingerprint


def test_a_reboot_is_one(host: Lending) -> None:
    made = host()
    made.run("touch /run/gone /var/lib/kept")
    before = made.boot_id
    made.reboot()
    assert made.run("cat /proc/sys/kernel/random/boot_id").stdout.strip() == made.boot_id != before
    assert made.run("ls /run/gone /var/lib/kept", check=False).stdout == "/var/lib/kept\n"


def test_a_power_cut_loses_no_synced_file_and_what_is_enabled_comes_back(host: Lending) -> None:
    made = host()
    made.run("cat >/etc/systemd/system/sleeper.service && systemctl enable -q --now sleeper", input=SLEEPER)
    made.run("echo precious >/var/lib/precious && sync /var/lib/precious")
    made.power_cut()
    assert not made.group.is_populated()
    made.boot()
    assert made.run("cat /var/lib/precious").stdout == "precious\n"
    assert made.run("systemctl is-active sleeper").stdout == "active\n"


def test_a_disk_is_full_at_its_size(host: Lending) -> None:
    made = host(disk_bytes=64_000_000)
    assert "No space left" in made.run("head -c 70000000 /dev/zero >/var/tmp/more", check=False).stderr
    made.run("rm /var/tmp/more")
    made.fill_disk()
    assert "No space left" in made.run("head -c 100000 /dev/zero >/etc/more", check=False).stderr
    made.free_disk()
    made.run("head -c 100000 /dev/zero >/etc/more")


def test_memory_is_limited(host: Lending) -> None:
    made = host(memory_bytes=300_000_000)
    assert made.run("python3 -c 'bytearray(100 * 10**6)'").returncode == 0
    assert made.run("python3 -c 'bytearray(600 * 10**6)'", check=False).returncode != 0


def test_a_cut_network_is_noticed_and_mended(host: Lending) -> None:
    made = host()
    made.cut_network()
    await_true(lambda: made.console("cat", "/sys/class/net/host0/operstate") != "up\n")  # the kernel tells the other end of it later
    assert made.run("true", check=False).returncode == 255
    made.mend_network()
    assert made.run("hostname").stdout == f"{made.name}\n"


def test_a_stepped_clock_is_seen_by_what_starts_then(host: Lending) -> None:
    made = host()
    made.step_clock(timedelta(days=1))
    assert abs(clock_of(made) - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    made.reboot()
    assert made.wait_until_running() == "running"
    assert abs(clock_of(made) - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
    made.step_clock(timedelta())
    assert abs(clock_of(made) - datetime.now(UTC)) < timedelta(minutes=1)


def clock_of(made: LabHost) -> datetime:
    program = "from datetime import *; print(datetime.now(timezone.utc).isoformat())"
    return datetime.fromisoformat(made.run(["sudo", "python3", "-c", program], user="admin").stdout.strip())


def test_hosts_start_from_a_golden_layer_and_do_not_see_each_other(host: Lending, lab: Lab) -> None:
    first = host()
    first.run("echo prepared >/srv/state")
    golden = lab.snapshot(first)
    one, other = host.many(2, golden=golden)
    one.run("echo changed >/srv/state")
    first.boot()
    assert [made.run("cat /srv/state").stdout.strip() for made in (first, one, other)] == ["prepared", "changed", "prepared"]
    assert len({made.run("cat /etc/machine-id").stdout for made in (first, one, other)}) == 3
    assert len({made.fingerprint for made in (first, one, other)}) == 3


def test_five_hosts_start_at_once_and_reach_each_other(host: Lending) -> None:
    five = host.many(5, "trixie")
    assert len({made.address for made in five}) == 5
    assert five[4].host_key in five[0].run(["ssh-keyscan", "-t", "ed25519", five[4].address]).stdout


def test_files_come_and_go(host: Lending, tmp_path: Path) -> None:
    made = host()
    (tmp_path / "sent").write_text("content")
    made.put(tmp_path / "sent", "/srv/sent")
    made.get("/srv/sent", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_text() == "content"


def test_only_a_disk_of_its_own_is_filled(host: Lending) -> None:
    with pytest.raises(HostFailed, match="disk_bytes"):
        host().fill_disk()
