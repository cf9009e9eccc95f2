"""What a managed host must be before it is changed: each check reads the facts seen there and gives a sentence with its mend, or None."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.operations.preflight import Check, clock_problem

DISTRIBUTION, VERSIONS = "debian", ("12", "13")
LEAST_FREE_BYTES = 3 * 1024**3
"""Packages, a database server, a release and room to work."""
LEAST_MEMORY_BYTES = 900 * 1024**2
WEB_PORTS = ("80", "443")
WEB_SERVER = "nginx"


def host_checks(name: str, facts: Mapping[str, Any], *, now: datetime) -> list[Check]:
    """Every check, on facts seen at `now`."""
    return [
        lambda: _system(name, facts),
        lambda: _services(name, facts),
        lambda: clock_problem(name, float(facts["time"]), now),
        *(_room(name, directory, disk) for directory, disk in facts["disks"].items()),
        lambda: _memory(name, facts),
        *(_port(name, port, program) for port, program in facts["ports"].items()),
    ]


def _system(name: str, facts: Mapping[str, Any]) -> str | None:
    if facts["distribution"] == DISTRIBUTION and facts["version"] in VERSIONS:
        return None
    return f"{name} runs {facts['system']}; Debian {' or '.join(VERSIONS)} is needed, so choose another machine or upgrade this one"


def _services(name: str, facts: Mapping[str, Any]) -> str | None:
    return None if facts["systemd"] else f"{name} is not run by systemd, which keeps a CRM's processes alive; choose another machine"


def _room(name: str, directory: str, disk: Mapping[str, int]) -> Check:
    def check() -> str | None:
        if disk["free_bytes"] >= LEAST_FREE_BYTES:
            return None
        free, needed = disk["free_bytes"] // 1024**2, LEAST_FREE_BYTES // 1024**2
        return f"{directory} on {name} has {free} MB free and {needed} MB are needed; make room there"

    return check


def _memory(name: str, facts: Mapping[str, Any]) -> str | None:
    if facts["memory_bytes"] >= LEAST_MEMORY_BYTES:
        return None
    return f"{name} has {facts['memory_bytes'] // 1024**2} MB of memory and {LEAST_MEMORY_BYTES // 1024**2} MB are needed; give it more"


def _port(name: str, port: str, program: str) -> Check:
    def check() -> str | None:
        if program == WEB_SERVER:
            return None
        return f"{program} listens on port {port} of {name}, where the CRM is to answer; stop and disable it there"

    return check
