"""Start, stop and remove long-running services, the same way under supervisord and systemd.

Read by a task through standard input: `python3 - VERB JSON`. Prints one JSON object with `changed`; a failure goes to standard
error with exit code 1. The JSON holds `manager`, `supervisor_socket` (where supervisord listens), `definitions` (directory of its
files), `bundles` (one bundle is what is defined together), `names` (the services), `port` and `timeout_seconds`.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UNITS = Path("/etc/systemd/system")
KILL_AFTER_SECONDS = 20
POLL_SECONDS = 0.05
RUNNING = frozenset({"RUNNING", "STARTING"})
AT_REST = frozenset({"STOPPED", "FATAL"})
TAIL_BYTES = 3000
SPAWN_ERROR, ALREADY_STARTED, NOT_RUNNING = 50, 60, 70
"""Faults of supervisord: https://github.com/Supervisor/supervisor/blob/main/supervisor/xmlrpc.py."""


class ServiceFailed(Exception):
    """A service did not reach the wanted state; its last lines of log are in the message."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    manager: str
    supervisor_socket: str
    definitions: Path
    bundles: tuple[str, ...]
    names: tuple[str, ...]
    port: int
    timeout_seconds: float


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program and keep its output; the caller judges the exit code."""
    return subprocess.run(argv, capture_output=True, text=True, check=False)


# ---------------------------------------------------------------------------------------------------------- processes


def process_ids(names: Iterable[str], groups: Iterable[int]) -> set[int]:
    """Every process of these services: by process group, and by the mark that the launcher left in its environment.

    The mark also finds what left its process group and what outlived a killed supervisord.
    """
    marks = {f"CRM_SERVICE={name}".encode() for name in names}
    wanted_groups = {group for group in groups if group > 1}
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _belongs(entry, marks, wanted_groups):
            found.add(int(entry.name))
    return found


def _belongs(entry: Path, marks: set[bytes], groups: set[int]) -> bool:
    try:
        state, _parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        if state in {"Z", "X"}:
            return False
        return int(group) in groups or not marks.isdisjoint((entry / "environ").read_bytes().split(b"\0"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def wait_until_gone(names: tuple[str, ...], groups: set[int]) -> bool:
    """Wait until no process of the services is left, killing what will not end. True when there was one."""
    left = process_ids(names, groups)
    found_any = bool(left)
    deadline = time.monotonic() + KILL_AFTER_SECONDS
    while left:
        if time.monotonic() > deadline + KILL_AFTER_SECONDS:
            raise ServiceFailed(f"Processes {sorted(left)} of {', '.join(names)} are still there after SIGKILL.")
        _signal(left, signal.SIGKILL if time.monotonic() > deadline else signal.SIGTERM)
        time.sleep(POLL_SECONDS)
        left = process_ids(names, groups)
    return found_any


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_until_port_accepts(request: Request, check: Callable[[], object]) -> None:
    """Wait until the private port accepts; `check` raises as soon as a service has ended instead."""
    deadline = time.monotonic() + request.timeout_seconds
    while request.port:
        try:
            socket.create_connection(("127.0.0.1", request.port), timeout=1).close()
        except OSError:
            check()
            if time.monotonic() > deadline:
                raise ServiceFailed(f"Port {request.port} did not accept within {request.timeout_seconds:.0f} seconds.") from None
            time.sleep(POLL_SECONDS)
        else:
            return


# --------------------------------------------------------------------------------------------------------- supervisord


class _Connection(http.client.HTTPConnection):
    """HTTP over the socket that supervisord listens at."""

    def __init__(self, path: str) -> None:
        super().__init__("supervisord")
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over such a connection, which is kept for all calls."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.connection = _Connection(path)

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002 - there is one
        return self.connection


class Supervisord:
    """Programs of supervisord, one configuration file for each bundle."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.server = xmlrpc.client.ServerProxy("http://supervisord", transport=_Transport(request.supervisor_socket))

    def call(self, method: str, *arguments: object, unless: frozenset[int] = frozenset()) -> Any:
        """What supervisord answers, None for a fault in `unless`; raises ServiceFailed when it does not answer, or refuses."""
        try:
            return getattr(self.server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in unless:
                return None
            raise ServiceFailed(f"supervisord refused to {method} {arguments}: {fault.faultString}.") from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise ServiceFailed(f"supervisord does not answer: {error}. Nothing was changed.") from None

    def known(self) -> dict[str, dict[str, Any]]:
        """What supervisord says of each of these services that it knows; `statename` and `pid` among it."""
        rows = {row["name"]: row for row in self.call("getAllProcessInfo")} if self.request.names else {}
        return {name: rows[name] for name in self.request.names if name in rows}

    def states(self) -> dict[str, str]:
        """The state of each service that supervisord knows."""
        return {name: row["statename"] for name, row in self.known().items()}

    def define(self) -> bool:
        """Read the definitions of these services, and of no other."""
        return self._update(set(self.request.names))

    def _update(self, wanted: set[str]) -> bool:
        added, changed, removed = (wanted.intersection(names) for names in self.call("reloadConfig")[0])
        for name in sorted(changed | removed):
            self.call("stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in sorted(added | changed):
            self.call("addProcessGroup", name)
        return bool(added or changed or removed)

    def start(self) -> bool:
        """Start what does not run, wait until the port accepts, and until supervisord has seen all of them run for a second."""
        if missing := set(self.request.names) - set(self.states()):
            self._update(missing)
        idle = [name for name, state in self.states().items() if state not in RUNNING]
        for name in idle:
            self.call("startProcess", name, False, unless=frozenset({SPAWN_ERROR, ALREADY_STARTED}))  # what came of it: check
        wait_until_port_accepts(self.request, self.check)
        deadline = time.monotonic() + self.request.timeout_seconds
        while self.check() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return bool(idle or missing)

    def check(self) -> bool:
        """Whether some service is still starting; raises ServiceFailed with the last lines of one that has ended."""
        states = self.states()
        for name in self.request.names:
            if states.get(name) not in RUNNING:
                tail = self.call("tailProcessStdoutLog", name, 0, TAIL_BYTES)[0] if name in states else ""
                raise ServiceFailed(f"Service {name} is {states.get(name, 'unknown to supervisord')}. Its last lines:\n{tail}")
        return "STARTING" in states.values()

    def stop(self) -> bool:
        """Stop what runs and wait until its processes are gone."""
        # Also what has just exited: supervisord may be about to start it again.
        active = {name: row for name, row in self.known().items() if row["statename"] not in AT_REST}
        for name, row in active.items():
            if row["statename"] != "STOPPING":
                self.call("stopProcess", name, False, unless=frozenset({NOT_RUNNING}))
        while "STOPPING" in self.states().values():  # supervisord kills what does not end in its time
            time.sleep(POLL_SECONDS)
        return wait_until_gone(self.request.names, {row["pid"] for row in active.values()}) or bool(active)

    def remove(self) -> bool:
        """Stop the services and take their definitions away."""
        changed = self.stop()
        known = self.states()
        for name in known:
            self.call("removeProcessGroup", name)
        for bundle in self.request.bundles:
            definition = self.request.definitions / f"{bundle}.conf"
            changed = changed or definition.exists()
            definition.unlink(missing_ok=True)
        self.call("reloadConfig")
        return changed or bool(known)


# ------------------------------------------------------------------------------------------------------------- systemd


class Systemd:
    """Units of systemd, one file for each service."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.units = [f"{name}.service" for name in request.names]

    def control(self, *arguments: str) -> None:
        """Run systemctl; raises ServiceFailed with the services' last lines."""
        done = run("systemctl", *arguments)
        if done.returncode != 0:
            raise ServiceFailed(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}{self.journal()}")

    def journal(self) -> str:
        """The services' last lines."""
        units = [argument for unit in self.units for argument in ("-u", unit)]
        return "\n" + run("journalctl", "--no-pager", "-n", "30", *units).stdout

    def active(self) -> list[str]:
        """The units that run or are about to."""
        states = run("systemctl", "is-active", *self.units).stdout.split()
        return [unit for unit, state in zip(self.units, states, strict=True) if state in {"active", "activating", "deactivating"}]

    def define(self) -> bool:
        """Read the definitions of these services, and of no other."""
        self.control("daemon-reload")
        return True

    def start(self) -> bool:
        """Start what does not run and wait until the port accepts."""
        idle = sorted(set(self.units) - set(self.active()))
        if idle:
            self.control("start", *idle)
        wait_until_port_accepts(self.request, self.check)
        self.check()
        return bool(idle)

    def check(self) -> None:
        """Raise ServiceFailed with the last lines of a service that has ended."""
        if ended := sorted(set(self.units) - set(self.active())):
            raise ServiceFailed(f"Not running: {', '.join(ended)}.{self.journal()}")

    def stop(self) -> bool:
        """Stop what runs and wait until its processes are gone."""
        active = self.active() if self.units else []
        if active:
            self.control("stop", *active)
        return wait_until_gone(self.request.names, set()) or bool(active)

    def remove(self) -> bool:
        """Stop the services and take their definitions away."""
        changed = self.stop()
        files = [UNITS / unit for unit in self.units if (UNITS / unit).exists()]
        if files:
            self.control("disable", *[file.name for file in files])
        for file in files:
            file.unlink()
        if files:
            self.control("daemon-reload")
        return changed or bool(files)


# ---------------------------------------------------------------------------------------------------------------- main


def services_of_bundle(request: Request, bundle: str) -> set[str]:
    """The services that a bundle defines, read from what is on the machine, since a definition may have changed meanwhile."""
    if request.manager == "systemd":
        return {file.stem for file in UNITS.glob("*.service") if f"# bundle: {bundle}" in file.read_text().splitlines()[:3]}
    file = request.definitions / f"{bundle}.conf"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line.removeprefix("[program:").removesuffix("]") for line in lines if line.startswith("[program:")}


def parse(text: str) -> Request:
    """Build the request; services that the bundles define are added to those that were named when `whole_bundles` is set."""
    spec = json.loads(text)
    request = Request(
        manager=spec["manager"],
        supervisor_socket=spec.get("supervisor_socket") or "",
        definitions=Path(spec.get("definitions") or "/nonexistent"),
        bundles=tuple(spec.get("bundles") or ()),
        names=tuple(spec.get("names") or ()),
        port=int(spec.get("port") or 0),
        timeout_seconds=float(spec.get("timeout_seconds") or 120),
    )
    if not spec.get("whole_bundles"):
        return request
    defined = {name for bundle in request.bundles for name in services_of_bundle(request, bundle)}
    return Request(**{**request.__dict__, "names": tuple(sorted(defined.union(request.names)))})


def main(verb: str, text: str) -> int:
    """Carry out one verb and print what changed."""
    request = parse(text)
    backend = Systemd(request) if request.manager == "systemd" else Supervisord(request)
    verbs: dict[str, Callable[[], bool]] = {
        "define": backend.define,
        "start": backend.start,
        "stop": backend.stop,
        "remove": backend.remove,
    }
    try:
        changed = verbs[verb]() if request.names or verb == "remove" else False
    except ServiceFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print(json.dumps({"changed": changed, "services": request.names}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
