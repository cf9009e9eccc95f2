"""A host that is lost in the middle of a step: awaited, asked again, never counted as done. Its `ssh` is a small program."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.host import Host, HostState
from appliance.errors import CommandFailed, HostRefused, HostUnreachable
from appliance.hosts.playbooks import end_controllers
from appliance.hosts.reach import Ssh
from appliance.operations import awaiting
from appliance.operations.awaiting import LOSSES, call
from appliance.operations.machines import KEY_SECRET
from appliance.operations.run import Run
from tests.support.judging import judged
from tests.support.operating import make_appliance, now, record, workflows_of

SSH = """#!/bin/sh
# Runs here what was meant for the host, unless the host is down, hangs or shows another key.
[ ! -e {directory}/down ] || {{ echo 'ssh: connect to host 192.0.2.1 port 22: Connection timed out' >&2; exit 255; }}
[ ! -e {directory}/changed ] || {{ echo 'Host key verification failed.' >&2; exit 255; }}
for word; do :; done
echo "$word" >>{directory}/asked
case "$word" in *end_marked*|*python3*) cat >/dev/null;; *boot_id*) cat {directory}/boot;;
    *is-system*) cat {directory}/state; echo running >{directory}/state;; *) exec sh -c "$word";; esac
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A step of an operation on a managed host."""
    monkeypatch.setattr(awaiting, "PAUSE_SECONDS", 0.01)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(SSH.format(directory=tmp_path))
    (programs / "ssh").chmod(0o755)
    (tmp_path / "boot").write_text("first")
    (tmp_path / "state").write_text("running\n")
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    appliance = make_appliance(tmp_path)
    host = Host(name="web1", address="192.0.2.1", host_key="ssh-ed25519 AAAA", state=HostState.READY, created_at=now())
    appliance.store.hosts.add(host)
    appliance.store.vault.put(host.subject, KEY_SECRET, "key")
    operation = record(appliance, workflows_of(), instance=host.subject)
    return Run(
        appliance=appliance,
        operation=operation,
        step="work",
        interrupted=False,
        cancellable=True,
        now=now,
        end_children_here=lambda: None,
    )


def losing(times: int, calls: list[bool]) -> Callable[[Run], str]:
    """An action in which the host is lost so often; it notes of each call whether it followed an interruption."""

    def action(run: Run) -> str:
        calls.append(run.interrupted)
        if len(calls) <= times:
            raise HostUnreachable("The host web1 cannot be reached: broken pipe")
        return "done"

    return action


def asked(run: Run) -> list[str]:
    return (run.appliance.settings.home.parent / "asked").read_text().splitlines()


def test_a_step_is_called_again_when_its_host_is_back_and_what_it_left_there_has_ended(run: Run) -> None:
    calls: list[bool] = []
    assert call(run, losing(1, calls), patience_seconds=5) == "done"
    assert calls == [False, True]
    assert [line for line in asked(run) if "APPLIANCE_OPERATION=" in line] != []


def test_a_host_that_is_still_booting_is_not_back_yet(run: Run) -> None:
    (run.appliance.settings.home.parent / "state").write_text("starting\n")
    assert call(run, losing(1, []), patience_seconds=5) == "done"
    assert len([line for line in asked(run) if "is-system-running" in line]) == 2


def test_a_host_that_is_lost_again_and_again_fails_the_step_and_nothing_overlaps(run: Run) -> None:
    calls: list[bool] = []
    with pytest.raises(HostUnreachable):
        call(run, losing(100, calls), patience_seconds=5)
    assert calls == [False] + [True] * LOSSES
    assert len([line for line in asked(run) if "APPLIANCE_OPERATION=" in line]) == LOSSES


def test_patience_ends_and_the_step_has_failed(run: Run) -> None:
    (run.appliance.settings.home.parent / "down").touch()
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match="broken pipe"):
        call(run, losing(1, []), patience_seconds=0.2)
    assert time.monotonic() - started < 5


def test_a_host_that_comes_back_with_another_key_is_not_awaited(run: Run) -> None:
    (run.appliance.settings.home.parent / "changed").touch()
    with pytest.raises(HostRefused, match="host trust web1"):
        call(run, losing(1, []), patience_seconds=60)


def test_a_failure_on_a_host_that_went_down_meanwhile_is_the_hosts(run: Run) -> None:
    def fail(boot: str) -> None:
        with run.while_it_stays_up():
            (run.appliance.settings.home.parent / "boot").write_text(boot)
            raise CommandFailed("Terminated")

    with pytest.raises(CommandFailed, match="Terminated"):
        fail("first")
    with pytest.raises(HostUnreachable, match="went down during the work: Terminated"):
        fail("second")


@pytest.mark.parametrize(("code", "said"), [(0, "Permission denied (os error 13)"), (2, "tar: Permission denied (publickey)")])
def test_what_a_program_says_is_not_taken_for_what_ssh_says(tmp_path: Path, code: int, said: str) -> None:
    reach = Ssh(name="web1", user="admin", configuration=tmp_path / "ssh_config", channel="test")
    assert judged(reach, code, said) is None


def test_a_shared_connection_whose_carrier_has_died_is_ended_and_other_programs_are_not() -> None:
    bash = str(shutil.which("bash"))
    connection = subprocess.Popen([bash, "-c", "exec -a 'ssh: /run/c-operation-1 [mux]' sleep 60"])
    other = subprocess.Popen(["sleep", "60"])
    while b"mux" not in Path(f"/proc/{connection.pid}/cmdline").read_bytes().partition(b"\0")[0]:
        time.sleep(0.01)
    end_controllers([connection.pid, other.pid])
    assert (connection.wait(5), other.poll()) == (-9, None)
    other.kill()
    other.wait()
