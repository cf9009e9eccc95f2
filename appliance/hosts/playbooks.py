"""Carry out a playbook with ansible-runner and report each task as it ends."""

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner

from appliance.config import playbooks_directory, program
from appliance.errors import Cancelled, PlaybookFailed
from appliance.hosts.reach import SSH_FAILED, Reach

LONGEST_OUTPUT_LINES = 200
NARRATED_ROLE = "steps"
"""The role that runs the product's own commands: what they say is shown whether or not they changed anything."""
ENVIRONMENT = {
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_NOCOLOR": "True",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
}
SHARED_CONNECTION = b"ssh: "
"""What ssh calls itself as the keeper of one."""
SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass(kw_only=True)
class Recap:
    """What the tasks of a playbook run reported."""

    changed: int = 0
    failures: list[str] = field(default_factory=list)
    unreachable: str | None = None


def run_playbook(
    reach: Reach,
    playbook: str,
    variables: Mapping[str, Any],
    *,
    directory: Path,
    ident: str,
    on_line: Callable[[str], None],
    is_cancelled: Callable[[], bool],
    gate: Path | None = None,
    on_done: Callable[[Recap], None] = lambda _: None,
) -> Recap:
    """Run `playbooks/<playbook>.yml` against a host.

    `directory` is for this run alone; the variables file in it holds no secret and stays readable for a run by hand. With a `gate`
    the run is loaded, and begins when that file says "go" (`playbooks/lookup_plugins/gate.py`). `on_done` is called when every task
    has succeeded; ansible-playbook itself takes some tenths of a second more to end.
    Raises Cancelled (its processes may live on: the caller ends them), PlaybookFailed, HostUnreachable and HostRefused.
    """
    recap = Recap()
    directory.mkdir(parents=True, exist_ok=True)
    result = ansible_runner.run(
        private_data_dir=str(directory),
        ident=ident,
        **_play(reach, playbook, variables, gate),
        quiet=True,
        event_handler=lambda event: _report(event, recap, on_line, on_done),
        cancel_callback=is_cancelled,
    )
    _clear(directory, ident)
    _judge(reach, playbook, recap, status=result.status, code=result.rc)
    return recap


def _judge(reach: Reach, playbook: str, recap: Recap, *, status: str, code: int | None) -> None:
    """Raise what a run that did not succeed has come to."""
    if status == "canceled":
        raise Cancelled(f"The playbook {playbook} was stopped.")
    if recap.unreachable is not None:
        reach.judge(SSH_FAILED, recap.unreachable)
    if status != "successful":
        cause = "; ".join(recap.failures) or f"ansible-playbook ended with {status} (code {code})"
        raise PlaybookFailed(f"The playbook {playbook} failed: {cause}")


def _play(reach: Reach, playbook: str, variables: Mapping[str, Any], gate: Path | None) -> dict[str, Any]:
    """What is played where, with what; behind a gate, if there is one."""
    held = {"held_playbook": f"{playbook}.yml", "gate": str(gate)} if gate else {}
    return {
        "project_dir": str(playbooks_directory()),
        "playbook": "held.yml" if gate else f"{playbook}.yml",
        "inventory": reach.inventory,
        "extravars": {**variables, "target": reach.name, **held},
        "envvars": ENVIRONMENT | {"PATH": _search_path()},
    }


def end_controllers(processes: Iterable[int]) -> None:
    """End the ansible-playbook and ssh processes among some whose reader has died.

    Without its reader one may hang for ever, or begin another task. The task it had begun is a process of its own and runs on to its end:
    here, or on a managed host, where it is awaited by its mark. A shared connection would else linger for minutes, with nobody to use it.
    """
    for pid in processes:
        with contextlib.suppress(OSError):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            names = [Path(os.fsdecode(argument)).name for argument in arguments[:2]]
            if "ansible-playbook" in names or names[0] == "ssh" or arguments[0].startswith(SHARED_CONNECTION):
                os.kill(pid, signal.SIGKILL)


def _search_path() -> str:
    """Debian's programs, and ansible-playbook, which lives beside this Python."""
    own = str(Path(program("ansible-playbook")).parent)
    return os.pathsep.join(dict.fromkeys([own, *SYSTEM_PATH]))


def _report(event: Mapping[str, Any], recap: Recap, on_line: Callable[[str], None], on_done: Callable[[Recap], None]) -> bool:
    data = event.get("event_data", {})
    result = data.get("res") or {}
    match event.get("event"):
        case "runner_on_ok" if result.get("changed") or data.get("role") == NARRATED_ROLE:
            recap.changed += bool(result.get("changed"))
            on_line(f"{'changed' if result.get('changed') else 'done'}: {data.get('task', '')}")
            _show_output(data, result, on_line)
        case "runner_on_failed" if not data.get("ignore_errors"):
            recap.failures.append(_failure(data, result))
            on_line(f"failed: {data.get('task', '')}")
            _show_output(data, result, on_line)
        case "runner_on_unreachable":
            recap.unreachable = str(result.get("msg", "no answer"))
            recap.failures.append(f"the host {data.get('host')} cannot be reached: {recap.unreachable}")
        case "playbook_on_stats" if not data.get("failures") and not data.get("dark"):
            on_done(recap)
    return True


def _show_output(data: Mapping[str, Any], result: Mapping[str, Any], on_line: Callable[[str], None]) -> None:
    if data.get("task_action", "").rpartition(".")[2] not in ("command", "shell") or result.get("censored"):
        return
    lines = str(result.get("stdout") or "").splitlines() + str(result.get("stderr") or "").splitlines()
    for line in lines[-LONGEST_OUTPUT_LINES:]:
        on_line(f"  {line}")


def _failure(data: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    said = str(result.get("stderr") or "").strip().splitlines()[-3:]
    return f"{data.get('task', 'a task')}: {' '.join([str(result.get('msg', '')).strip(), *said]).strip()}"


def _clear(directory: Path, ident: str) -> None:
    """Keep the variables for a run by hand, drop what ansible-runner dumps of the environment."""
    (directory / "artifacts" / ident / "command").unlink(missing_ok=True)
    shutil.rmtree(directory / "artifacts" / ident / "fact_cache", ignore_errors=True)
