import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.host import check_host
from appliance.errors import Conflict, HostRefused, HostUnreachable, InvalidRequest, PreflightFailed
from appliance.hosts.host_keys import fingerprint
from appliance.hosts.log_in_keys import check_key, make_key, public_key
from appliance.hosts.reach import Local, Ssh
from appliance.hosts.ssh_files import lay_down, take_away
from appliance.hosts.tools import write_archive
from appliance.operations.host_checks import host_checks
from appliance.operations.hosts import remove_host
from appliance.operations.kinds.host_prepare import see_host
from appliance.operations.preflight import require
from appliance.operations.requesting import request
from tests.support.judging import judged
from tests.support.operating import make_appliance, now

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
FACTS: dict[str, Any] = {
    "distribution": "debian",
    "version": "12",
    "system": "Debian GNU/Linux 12 (bookworm)",
    "systemd": True,
    "time": NOW.timestamp(),
    "disks": {"/": {"total_bytes": 10**11, "free_bytes": 10**10}},
    "memory_bytes": 2 * 1024**3,
    "ports": {"443": "nginx"},
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../web"),
        ("name", "localhost"),
        ("name", "-oProxyCommand=x"),
        ("address", "-oProxyCommand=touch"),
        ("address", "a b"),
        ("address", "a\nProxyCommand x"),
        ("port", 0),
        ("port", 70000),
        ("user", "root;id"),
        ("user", "-l"),
    ],
)
def test_what_would_become_part_of_a_command_is_refused_by_its_field(field: str, value: object) -> None:
    given: dict[str, Any] = {"name": "web1", "address": "192.0.2.1", "port": 22, "user": "admin", field: value}
    with pytest.raises(InvalidRequest) as refused:
        check_host(**given)
    assert refused.value.field == field


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints() -> None:
    assert fingerprint(KEY) == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_a_key_of_its_own_can_be_used_and_told_to_a_host() -> None:
    key = check_key(make_key())
    assert public_key(key).startswith("ssh-ed25519 AAAA")


def test_what_is_not_a_private_key_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="not a private key"):
        check_key(KEY)


def test_a_host_as_it_should_be_is_not_refused() -> None:
    assert require(host_checks("web1", FACTS, now=NOW)).endswith("checks passed")


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"version": "11", "system": "Debian GNU/Linux 11"}, "web1 runs Debian GNU/Linux 11; Debian 12 or 13 is needed"),
        ({"distribution": "ubuntu", "version": "24.04", "system": "Ubuntu 24.04"}, "web1 runs Ubuntu"),
        ({"systemd": False}, "not run by systemd"),
        ({"time": (NOW + timedelta(days=1)).timestamp()}, "86400 s ahead of"),
        ({"time": (NOW - timedelta(days=1)).timestamp()}, "86400 s behind"),
        ({"disks": {"/": {"total_bytes": 10**9, "free_bytes": 10**8}}}, "/ on web1 has 95 MB free and 3072 MB are needed"),
        ({"memory_bytes": 256 * 1024**2}, "256 MB of memory"),
        ({"ports": {"443": "haproxy"}}, "haproxy listens on port 443 of web1"),
    ],
)
def test_a_host_that_will_not_do_is_refused_by_name_with_the_mend(facts: dict[str, Any], problem: str) -> None:
    with pytest.raises(PreflightFailed) as refused:
        require(host_checks("web1", FACTS | facts, now=NOW))
    assert problem in str(refused.value)
    assert len(refused.value.failures) == 1


@pytest.mark.parametrize(
    ("code", "said", "error", "words"),
    [
        (255, "ssh: connect to host 192.0.2.1 port 22: Connection refused", HostUnreachable, "Connection refused"),
        (255, "Host key verification failed.", HostRefused, "another host key"),
        (255, "admin@192.0.2.1: Permission denied (publickey).", HostRefused, "authorized_keys"),
        (1, "sudo: a password is required", HostRefused, "NOPASSWD"),
        (127, "sh: 1: sudo: not found", HostRefused, "has no sudo"),
    ],
)
def test_what_fails_on_the_way_to_a_host_is_told_from_what_fails_there(
    tmp_path: Path, code: int, said: str, error: type[Exception], words: str
) -> None:
    reach = Ssh(name="web1", user="admin", configuration=tmp_path / "ssh_config", channel="test")
    failure = judged(reach, code, said)
    assert isinstance(failure, error)
    assert words in str(failure)


def test_a_failing_command_is_no_failing_way(tmp_path: Path) -> None:
    reach = Ssh(name="web1", user="admin", configuration=tmp_path / "ssh_config", channel="test")
    assert judged(reach, 1, "psql: no such database") is None


def test_the_key_lies_where_only_its_owner_reads_it_and_goes_with_the_host(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    host = appliance.store.hosts.get("localhost")
    configuration = lay_down(tmp_path, host, "secret")
    assert [oct(file.stat().st_mode & 0o777) for file in sorted(configuration.parent.iterdir())] == ["0o600"] * 3
    take_away(tmp_path, host.name)
    assert not configuration.parent.exists()


def test_this_machine_is_a_host_from_the_beginning_and_stays_one(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    assert [host.name for host in appliance.store.hosts.list()] == ["localhost"]
    with pytest.raises(PreflightFailed, match="this machine"):
        remove_host(appliance, "localhost", requested_by="admin", now=now())


def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    appliance = make_appliance(tmp_path)
    operation = request(appliance, "host-prepare", "host:localhost", {}, requested_by="admin", now=now())
    with pytest.raises(Conflict):
        request(appliance, "host-prepare", "host:localhost", {}, requested_by="admin", now=now())
    assert operation.instance == "host:localhost"


def test_the_tools_for_a_host_are_the_same_archive_every_time(tmp_path: Path) -> None:
    digests = {write_archive(tmp_path / "one.zip"), write_archive(tmp_path / "two.zip")}
    assert len(digests) == 1
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {"backup/__main__.py", "monitoring/__main__.py"} <= set(archive.namelist())


def test_this_machine_is_seen_as_it_is() -> None:
    facts = see_host(Local())
    assert facts["root"] is True
    assert facts["distribution"] == "debian"
    assert facts["disks"]["/"]["free_bytes"] > 0
