"""What starts and stops services, against a real supervisord whose programs are in every state that one can be in."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.playbooks.rig import REPOSITORY, Rig

PROGRAM = REPOSITORY / "playbooks/roles/service/files/services.py"
BUNDLE = REPOSITORY / "playbooks/roles/service/templates/bundle.conf.j2"
DEFINITION = """
[program:{name}]
command=/bin/sh -c "{command}"
autostart=false
autorestart={restart}
startsecs={seconds}
startretries=30
redirect_stderr=true
environment=CRM_SERVICE="{name}"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Rig]:
    machine = Rig(root=tmp_path, name="tsv", port=24590, product={"secrets": []})
    machine.prepare()
    machine.start_supervisord()
    yield machine
    machine.stop_supervisord()


def define(machine: Rig, name: str, command: str, *, restart: str = "true", seconds: int = 1) -> None:
    text = DEFINITION.format(name=name, command=command, restart=restart, seconds=seconds)
    (machine.root / "supervisor.d" / f"{name}.conf").write_text(text)


def ask(machine: Rig, verb: str, name: str) -> subprocess.CompletedProcess[str]:
    spec = {"manager": "supervisord", "supervisor_socket": str(machine.root / "supervisor.sock"), "names": [name], "timeout_seconds": 10}
    return subprocess.run([sys.executable, PROGRAM, verb, json.dumps(spec)], capture_output=True, text=True, timeout=60, check=False)


def until(machine: Rig, name: str, state: str) -> None:
    deadline = time.monotonic() + 20
    while machine.status().get(name) != state:
        assert time.monotonic() < deadline, f"{name} is {machine.status().get(name)}, not {state}"
        time.sleep(0.05)


def test_one_that_has_ended_by_itself_is_stopped_without_complaint(machine: Rig) -> None:
    define(machine, "done", "exit 0", restart="false", seconds=0)
    assert ask(machine, "start", "done").returncode in {0, 1}  # it ends while it is looked at, or before
    until(machine, "done", "EXITED")
    stopped = ask(machine, "stop", "done")
    assert (stopped.returncode, stopped.stderr) == (0, "")


def test_one_that_is_started_again_and_again_tells_its_last_lines_and_can_be_stopped(machine: Rig) -> None:
    define(machine, "poorly", "echo no database; exit 1", seconds=5)
    first = ask(machine, "start", "poorly")
    until(machine, "poorly", "BACKOFF")
    again = ask(machine, "start", "poorly")
    assert (first.returncode, again.returncode) == (1, 1)
    assert "no database" in first.stderr
    assert "no database" in again.stderr
    assert ask(machine, "stop", "poorly").returncode == 0
    assert machine.status()["poorly"] == "STOPPED"


def test_one_that_runs_is_stopped_with_what_it_left_behind(machine: Rig) -> None:
    define(machine, "parent", "setsid sleep 300 & exec sleep 300")
    assert json.loads(ask(machine, "start", "parent").stdout)["changed"] is True
    assert json.loads(ask(machine, "start", "parent").stdout)["changed"] is False
    assert json.loads(ask(machine, "stop", "parent").stdout)["changed"] is True
    assert json.loads(ask(machine, "stop", "parent").stdout)["changed"] is False


def test_without_supervisord_nothing_is_said_to_be_stopped(machine: Rig) -> None:
    define(machine, "one", "exec sleep 300")
    machine.stop_supervisord()
    stopped = ask(machine, "stop", "one")
    assert stopped.returncode == 1
    assert "supervisord does not answer" in stopped.stderr


def rendered(command: str, directory: Path, *, network: bool) -> str:
    """The bundle of one service of the user www-data, by the role's own template."""
    environment = Environment(trim_blocks=True, autoescape=False)  # noqa: S701 - it writes no page
    environment.filters["ternary"] = lambda value, yes, no: yes if value else no
    service = {"name": "says", "command": command, "directory": "/", "user": "www-data", "stop": {}, "network": network}
    given = {"ansible_managed": "a test", "service_bundle": "says", "service_enabled": False, "service_log_directory": str(directory)}
    return environment.from_string(BUNDLE.read_text()).render(**given, service_list=[service])


@pytest.mark.parametrize(("network", "alone"), [(True, False), (False, True)])
def test_one_without_a_network_reaches_none_and_is_its_own_user_all_the_same(machine: Rig, network: bool, alone: bool) -> None:
    """As what a drill brings up is to send nobody mail."""
    says = "/bin/sh -c 'id -un; id -gn; tail -n +3 /proc/net/dev | cut -d: -f1 | xargs; exec sleep 300'"
    (machine.root / "supervisor.d" / "says.conf").write_text(rendered(says, machine.root, network=network))
    assert ask(machine, "start", "says").returncode == 0
    user, group, devices = (machine.root / "says.log").read_text().splitlines()
    assert (user, group, devices == "lo") == ("www-data", "www-data", alone)
    assert ask(machine, "stop", "says").returncode == 0


def test_in_a_chroot_it_reaches_none_either(tmp_path: Path) -> None:
    """Where the kernel lets nobody make a namespace of users."""
    lines = rendered("/usr/bin/id -un", tmp_path, network=False).splitlines()
    command = next(line.removeprefix("command=") for line in lines if line.startswith("command="))
    inside = f'mount --rbind / "$0" && exec chroot "$0" {command}'
    ended = subprocess.run(["unshare", "--mount", "sh", "-c", inside, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "www-data\n", "")
