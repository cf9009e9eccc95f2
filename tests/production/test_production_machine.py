"""`bin/up --production` on a bare machine: who owns what, who may what, and that the panel answers after whatever happens."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from appliance.web.sessions import HOST_ONLY, SESSION_COOKIE
from tests.lab.clone import PLACE
from tests.lab.host import LabHost
from tests.lab.lab import Lending
from tests.lab.places import TREE
from tests.production.conftest import RELEASES, Produced
from tests.production.site import DOMAIN, Site
from tests.support import pki

Booted = Callable[[str], Site]
PLAYBOOK = TREE / "playbooks" / "appliance.yml"
MOST_EXPOSURE = {"appliance-panel": 1.2, "appliance-monitor": 1.2, "appliance-worker": 1.4}
ASKED = """
import sqlite3
store = sqlite3.connect("/var/lib/appliance/appliance.sqlite")
print(store.execute("select detail from audit where action = 'log in refused'").fetchall())
"""
OWNERS = {
    "/var/lib/appliance": "appliance appliance 700",
    "/var/lib/appliance/appliance.key": "appliance appliance 600",
    "/var/lib/appliance/appliance.sqlite": "appliance appliance 600",
    "/var/log/appliance": "appliance appliance 700",
    "/var/cache/appliance": "appliance appliance 700",
    "/run/appliance": "appliance appliance 700",
    "/run/appliance-panel.sock": "root www-data 660",
    "/etc/appliance": "root appliance 750",
    "/etc/appliance/appliance.toml": "root appliance 640",
    "/etc/appliance/environment": "root root 600",
    "/etc/appliance/tls": "root root 700",
    "/opt/appliance/releases": "root root 755",
}


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_runs_as_root_and_everything_belongs_to_whom_it_should(standing: Booted, release: str) -> None:
    host = standing(release).host
    users = host.run("ps -eo user:20,args | grep /bin/appliance | grep -v grep").stdout.splitlines()
    assert {line.split()[0] for line in users} == {"appliance"}
    said = host.run(["stat", "-c", "%n %U %G %a", *OWNERS]).stdout
    assert dict(line.split(maxsplit=1) for line in said.splitlines()) == OWNERS
    assert host.run("find /var/lib/appliance /run/appliance ! -user appliance").stdout == ""
    assert host.run("find /opt/appliance /etc/appliance -user appliance -o -perm -o+w ! -type l").stdout == ""
    assert host.run("runuser -u appliance -- sudo -n true", check=False).returncode != 0


@pytest.mark.parametrize("release", RELEASES)
def test_the_units_are_exposed_as_little_as_they_can_be(standing: Booted, release: str) -> None:
    host = standing(release).host
    for unit, most in MOST_EXPOSURE.items():
        said = host.run(f"systemd-analyze security --no-pager {unit}.service | tail -1").stdout
        found = re.search(r"(\d+\.\d)", said)
        assert found
        print(f"{release}: {unit} {found[1]}")
        assert float(found[1]) <= most, said


def test_the_second_run_has_nothing_to_do(produced: dict[str, Produced]) -> None:
    for made in produced.values():
        assert "Nothing to do" in made.second
        assert "One-time password" not in made.second


@pytest.mark.parametrize("release", RELEASES)
def test_people_log_in_over_https_alone(standing: Booted, produced: dict[str, Produced], release: str) -> None:
    made = standing(release)
    answer = made.log_in(produced[release].password)
    assert (answer.status_code, answer.headers["location"]) == (303, "/password")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if SESSION_COOKIE in value)
    assert cookie.startswith(f"{HOST_ONLY}{SESSION_COOKIE}=")
    assert "Secure" in cookie
    plain = httpx.get(f"http://{made.host.address}/instances?x=1", headers={"Host": DOMAIN})
    assert (plain.status_code, plain.headers["location"]) == (301, f"https://{DOMAIN}/instances?x=1")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://{made.host.address}/", verify=False)  # noqa: S501 - it is refused for want of a name
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{made.host.address}:9470/metrics")


def test_the_audit_knows_visitors_by_the_address_that_the_web_server_saw(standing: Booted) -> None:
    made = standing("bookworm")
    made.get("/login", headers={"X-Forwarded-For": "203.0.113.7"})
    made.log_in("wrong")
    said = made.host.run(["runuser", "-u", "appliance", "--", "python3", "-c", ASKED]).stdout
    assert "203.0.113.7" not in said
    assert made.host.address.rpartition(".")[0] in said


@pytest.mark.parametrize("release", RELEASES)
def test_the_panel_answers_by_itself_after_a_reboot_and_a_power_cut(site: Booted, release: str) -> None:
    made = site(release)
    made.host.reboot()
    after_reboot = made.answers_again()
    made.host.power_cut()
    made.host.boot()
    after_cut = made.answers_again()
    print(f"{release}: answers {after_reboot:.1f} s after ssh on a reboot, {after_cut:.1f} s after a power cut")
    assert made.host.run("systemctl list-units --failed --no-legend 'appliance*' 'nginx*'").stdout == ""


def test_this_machine_is_reached_over_ssh_or_not_at_all(standing: Booted) -> None:
    made = standing("bookworm")
    ended = made.command("host prepare localhost")
    assert ended.returncode == 4
    assert "does not run as root here" in ended.stderr
    assert "host add here --address 127.0.0.1" in ended.stderr


def test_another_program_on_the_port_is_refused_before_anything_is_changed(bare_host: Callable[[str], LabHost]) -> None:
    host = bare_host("bookworm")
    host.run("systemd-run --unit=taken systemd-socket-activate --listen=80 /bin/cat; sleep 1")
    ended = host.run(f"cd {PLACE} && bin/up --production", check=False)
    assert ended.returncode == 2
    assert "port 80 or 443" in ended.stderr
    assert "nginx" not in host.run("ls /etc /usr/sbin").stdout


def test_a_lost_password_is_replaced_by_root(standing: Booted, produced: dict[str, Produced]) -> None:
    made = standing("trixie")
    new = made.done("panel password").strip()
    assert made.log_in(produced["trixie"].password).status_code == 401
    assert made.log_in(new).status_code == 303


def test_a_plain_playbook_run_sets_a_machine_up_and_the_second_changes_nothing(host: Lending, good_wheel: Path, tmp_path: Path) -> None:
    made = Site(host=host("trixie"))
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"{made.host.address} {made.host.host_key}\n")
    options = f"-o UserKnownHostsFile={known_hosts} -o IdentitiesOnly=yes"
    variables = {"target": "all", "panel": {"wheel": str(good_wheel), "domain": DOMAIN}}
    argv = ["ansible-playbook", "-i", f"{made.host.address},", "-u", made.host.user, "--become", "--private-key", str(made.host.key_file)]
    argv += ["--ssh-common-args", options, "-e", json.dumps(variables), str(PLAYBOOK)]
    first = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=900)
    assert first.returncode == 0, first.stdout[-4000:] + first.stderr
    assert made.answers()
    second = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
    assert "changed=0 " in second.stdout, second.stdout[-3000:]


def test_the_daily_look_keeps_a_certificate_that_is_not_due(standing: Booted) -> None:
    made = standing("bookworm")
    before = made.host.run("readlink /etc/appliance/tls/current").stdout
    made.host.run("systemctl start appliance-certificate.service")
    assert made.host.run("readlink /etc/appliance/tls/current").stdout == before
    assert made.host.run("systemctl is-active appliance-certificate.timer").stdout == "active\n"


def test_a_certificate_of_ones_own_is_shown_binds_browsers_and_can_be_given_up(site: Booted, tmp_path: Path) -> None:
    made, now = site("trixie"), datetime.now(UTC)
    ours = made.authority
    root = pki.make("A company's root", now, authority=True)
    leaf = pki.make(DOMAIN, now, issuer=root)
    for name, content in (("certificate.pem", leaf.pem + root.pem), ("key.pem", leaf.key())):
        (tmp_path / name).write_text(content)
        made.host.put(tmp_path / name, f"/root/{name}")
    assert "Strict-Transport-Security" not in made.get("/login").headers
    made.done("panel certificate --certificate /root/certificate.pem --key /root/key.pem")
    made.trusted = root.pem
    assert made.get("/login").headers["Strict-Transport-Security"] == "max-age=63072000"
    made.done("panel certificate --private-ca")
    made.trusted = ours
    assert made.answers()
