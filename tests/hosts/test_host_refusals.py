"""A machine that will not do is refused by name, with the mend, and nothing on it is changed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.domain.operation import OperationStatus
from tests.hosts.world import World, a_world
from tests.lab import keys
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.programs import run
from tests.support.house import wait_for

LIST = Path(__file__).with_name("list_host.py").read_text()
OTHER_WEB_SERVER = """
import http.server, pathlib
pathlib.Path("/proc/self/comm").write_text("caddy")
http.server.HTTPServer(("0.0.0.0", 443), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
SMALL_DISK_BYTES = 1024**3
INVALID, REFUSED = 2, 4


@pytest.fixture(scope="module")
def world(clean: None) -> Iterator[World]:  # noqa: ARG001 - needs a clean ground
    """An appliance that knows no host yet."""
    with a_world() as opened:
        yield opened


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Iterator[LabHost]:
    """A server as a provider hands it out."""
    with lab.lending() as host:
        made = host("bookworm")
        made.wait_until_running()
        made.run("sudo -n true", user="admin")  # which leaves a file at the first time
        yield made


def listing(host: LabHost) -> list[str]:
    return host.console("python3", "-c", LIST).splitlines()


@contextmanager
def unchanged(host: LabHost) -> Iterator[None]:
    """Nothing on the host is another than before, when the block ends."""
    before = listing(host)
    assert len(before) > 5000
    yield
    assert sorted(set(listing(host)) ^ set(before)) == []


@contextmanager
def known(world: World, host: LabHost) -> Iterator[None]:
    """A host that has been added, for as long as the block."""
    world.add(host, "web1")
    try:
        yield
    finally:
        world.done("host", "remove", "web1")


def refuses_to_add(world: World, host: LabHost, *words: str, **changed: str) -> str:
    """Adding ends with a refusal and knows nothing of the host afterwards; gives what was said."""
    wanted = world.add_words(host)
    for option, value in changed.items():
        wanted[wanted.index(f"--{option}") + 1] = value
    with unchanged(host):
        ended = world.command(*wanted, *words)
    assert ended.returncode in (INVALID, REFUSED), ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    assert [known.name for known in world.appliance.store.hosts.list()] == ["localhost"]
    assert not (world.settings.run / "hosts" / "web1").exists()
    assert world.ssh_processes() == []
    return " ".join(ended.stderr.split())


def refuses_to_prepare(world: World, host: LabHost) -> str:
    """Preparing ends with a refusal; gives what was said."""
    with unchanged(host):
        ended = world.command("host", "prepare", "web1")
    assert ended.returncode == REFUSED, ended.stdout + ended.stderr
    newest = world.appliance.store.operations.list()[0]
    assert (newest.kind, newest.status) == ("host-prepare", OperationStatus.FAILED)
    return str(newest.cause)


def test_a_wrong_key(world: World, machine: LabHost, tmp_path: Path) -> None:
    said = refuses_to_add(world, machine, key=str(keys.make().save(tmp_path / "other")))
    assert "does not let the appliance log in with its key" in said
    assert "authorized_keys" in said


def test_a_key_with_a_passphrase(world: World, machine: LabHost, tmp_path: Path) -> None:
    file = tmp_path / "protected"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", str(file))
    said = refuses_to_add(world, machine, key=str(file))
    assert "protected by a passphrase" in said
    assert "give one without" in said


def test_a_user_without_sudo(world: World, machine: LabHost) -> None:
    said = refuses_to_add(world, machine, user="nosudo")
    assert "sudo" in said
    assert "NOPASSWD" in said


def test_another_key_than_the_fingerprint_says(world: World, machine: LabHost) -> None:
    said = refuses_to_add(world, machine, fingerprint=f"SHA256:{'A' * 43}")
    assert f"shows the key {machine.fingerprint}" in said


def test_an_address_where_nobody_is(world: World, machine: LabHost) -> None:
    said = refuses_to_add(world, machine, address="10.77.3.250")
    assert "No SSH server answers at 10.77.3.250" in said
    assert "firewall" in said


def test_a_port_where_nothing_listens(world: World, machine: LabHost) -> None:
    assert "No SSH server answers" in refuses_to_add(world, machine, port="2222")


def test_a_cut_cable(world: World, machine: LabHost) -> None:
    machine.cut_network()
    try:
        said = refuses_to_add(world, machine)
    finally:
        machine.mend_network()
    assert "No SSH server answers" in said


def test_a_changed_host_key_stops_everything_until_it_is_trusted(world: World, machine: LabHost) -> None:
    with known(world, machine):
        before = machine.run("cat /etc/ssh/ssh_host_ed25519_key").stdout
        file = "/etc/ssh/ssh_host_ed25519_key"
        machine.console("sh", "-c", f"rm {file} {file}.pub; ssh-keygen -q -t ed25519 -N '' -f {file}; systemctl restart ssh")
        changed = machine.console("ssh-keygen", "-lf", f"{file}.pub").split()[1]
        with unchanged(machine):
            ended = world.command("host", "prepare", "web1")
        cause = str(world.appliance.store.operations.list()[0].cause)
        assert (ended.returncode != 0, "shows another host key" in cause, "host trust web1" in cause) == (True, True, True), cause
        assert world.command("host", "trust", "web1", "--fingerprint", machine.fingerprint).returncode != 0
        world.done("host", "trust", "web1", "--fingerprint", changed)
        assert_reached(world)
        machine.console("sh", "-c", f"printf '%s' '{before}' >{file}; ssh-keygen -y -f {file} >{file}.pub; systemctl restart ssh")
        wait_for(lambda: machine.run("true", check=False).returncode == 0)


def assert_reached(world: World) -> None:
    """The host lets the appliance in: a preparation comes behind its preflight. It is stopped there."""
    operation = world.request("host-prepare", "host:web1")
    world.await_step(operation, "packages")
    world.command("operation", "cancel", str(operation))
    assert world.ended(operation).steps[0].status == "succeeded"


def test_an_old_debian(world: World, machine: LabHost) -> None:
    file = "/usr/lib/os-release"
    with (
        known(world, machine),
        replaced(machine, file, lambda text: text.replace('"12"', '"11"').replace("12 (bookworm)", "11 (bullseye)")),
    ):
        said = refuses_to_prepare(world, machine)
    assert "web1 runs Debian GNU/Linux 11 (bullseye); Debian 12 or 13 is needed" in said


@contextmanager
def replaced(host: LabHost, file: str, change: Callable[[str], str]) -> Iterator[None]:
    """Another content of a file, for as long as the block."""
    before = host.run(["cat", file]).stdout
    host.run(f"cat >{file}", input=change(before))
    yield
    host.run(f"cat >{file}", input=before)


def test_another_web_server_on_port_443(world: World, machine: LabHost) -> None:
    machine.run(["systemd-run", "--quiet", "--unit=other", "python3", "-c", OTHER_WEB_SERVER])
    wait_for(lambda: ":443" in machine.run("ss -ltn").stdout)
    with known(world, machine):
        said = refuses_to_prepare(world, machine)
    machine.run("systemctl stop other")
    assert "listens on port 443 of web1" in said
    assert "stop and disable it" in said


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_wrong_by_a_day(world: World, machine: LabHost, days: int) -> None:
    machine.step_clock(timedelta(days=days))
    try:
        with known(world, machine):
            said = refuses_to_prepare(world, machine)
    finally:
        machine.step_clock(timedelta())
    assert f"{'ahead of' if days > 0 else 'behind'} this machine's" in said
    assert "timedatectl set-ntp true" in said


def test_a_small_disk(world: World, lab: Lab) -> None:
    with lab.lending() as host:
        small = host("trixie", disk_bytes=SMALL_DISK_BYTES)
        small.wait_until_running()
        small.run("sudo -n true", user="admin")
        with known(world, small):
            said = refuses_to_prepare(world, small)
    assert "MB are needed; make room there" in said


def test_no_python(world: World, lab: Lab) -> None:
    with lab.lending() as host:
        bare = host("bookworm", kind="bare")
        bare.user = "root"
        words = world.add_words(bare)
        words[words.index("--key") + 1] = str(bare.remote.root_key)
        ended = world.command(*words)
    assert ended.returncode == REFUSED, ended.stderr
    assert "install python3 there" in " ".join(ended.stderr.split())


def test_the_machine_that_was_refused_so_often_will_do_after_all(world: World, machine: LabHost) -> None:
    with known(world, machine):
        started = time.monotonic()
        assert_reached(world)
        assert time.monotonic() - started < 60
