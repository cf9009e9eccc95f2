"""Checks before the first change: each gives a sentence with its mend, or None. Nothing here changes anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.version import Version

from appliance.domain.instance import Instance
from appliance.domain.product import ProductDefinition
from appliance.domain.product_steps import Check as SqlCheck
from appliance.domain.tls import TlsMode
from appliance.errors import ApplianceError, HostRefused, HostUnreachable, PreflightFailed, StepFailed
from appliance.hosts.reach import PYTHON, Reach, ask
from appliance.operations.machines import Machine
from appliance.operations.steps.health import ask_probes
from appliance.products.catalogue import Product

Check = Callable[[], str | None]
DatabaseSpec = Mapping[str, Any]
"""As `operations.variables.database_spec` gives it."""
HOST_PROBLEMS = (HostUnreachable, HostRefused)

RELEASE_BYTES = 600 * 1024**2
"""A release with its environment; the largest measured takes 330 MB."""
BIND = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
probe = socket.socket(family)
probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    probe.bind((sys.argv[1], int(sys.argv[2])))
except OSError as error:
    print(error.strerror)
"""
ROOM = """
import pathlib, shutil, sys
wanted = pathlib.Path(sys.argv[1])
existing = next(parent for parent in (wanted, *wanted.parents) if parent.exists())
print(existing, shutil.disk_usage(existing).free)
"""
MOST_CLOCK_SECONDS = 60
"""Further apart, certificates and log-ins fail, and recovery points are filed under wrong times."""
LONGEST_OPERATION = timedelta(hours=1)
COPIES = 2
"""A copy of the database beside the original, and as much again for what a migration rewrites."""


def require(checks: Iterable[Check]) -> str:
    """Run every check. Raises PreflightFailed with all that said no."""
    checks = tuple(checks)
    failures = tuple(failure for check in checks if (failure := check()) is not None)
    if failures:
        raise PreflightFailed(failures)
    return f"{len(checks)} checks passed"


def port_is_free(reach: Reach, address: str, port: int, *, mend: str = "choose another with --set port=…") -> Check:
    """Nothing else listens where the CRM is to answer."""

    def check() -> str | None:
        problem = _output(reach, [PYTHON, "-c", BIND, address, str(port)])
        return f"{address}:{port} cannot be used ({problem}); {mend}" if problem != "" else None

    return check


def clock_is_right(machine: Machine, now: Callable[[], datetime]) -> Check:
    """The host's clock agrees with this machine's: by it recovery points are named, and log-ins and certificates checked."""

    def check() -> str | None:
        shown = _output(machine.reach, [PYTHON, "-c", "import time; print(time.time())"])
        return None if shown is None else clock_problem(machine.host.name, float(shown), now())

    return check


def clock_problem(name: str, timestamp: float, now: datetime) -> str | None:
    """What is wrong with a host's clock that shows `timestamp` when it is `now` here."""
    off_seconds = timestamp - now.timestamp()
    if abs(off_seconds) <= MOST_CLOCK_SECONDS:
        return None
    return (
        f"the clock of {name} is {abs(off_seconds):.0f} s {'ahead of' if off_seconds > 0 else 'behind'} this machine's; "
        "set it there (timedatectl set-ntp true), or here"
    )


def certificate_lasts(instance: Instance, now: datetime) -> Check:
    """What visitors come through is valid for as long as the operation may take."""

    def check() -> str | None:
        ends = instance.tls.not_after
        if ends is None or ends > now + LONGEST_OPERATION:
            return None
        own = instance.tls.mode is TlsMode.OWN
        mend = f"appliance certificate {'replace' if own else 'renew'} {instance.name}{' --certificate FILE --key FILE' if own else ''}"
        return f"its certificate ends at {ends:%Y-%m-%d %H:%M} UTC; first run: {mend}"

    return check


def disk_has_room(reach: Reach, directory: Path, needed_bytes: int) -> Check:
    """Room for what the operation writes before it gives anything back."""

    def check() -> str | None:
        existing, _, free = (_output(reach, [PYTHON, "-c", ROOM, str(directory)]) or f"{directory} 0").rpartition(" ")
        return lack_of_room(existing, int(free), needed_bytes)

    return check


def lack_of_room(place: str, free_bytes: int, needed_bytes: int) -> str | None:
    """What to say of a place that has too little."""
    if free_bytes >= needed_bytes:
        return None
    return f"{place} has {free_bytes // 1024**2} MB free and {needed_bytes // 1024**2} MB are needed; make room there"


def runtime_fits(reach: Reach, product: ProductDefinition, version: str) -> Check:
    """The host's interpreter is one that the release supports."""

    def check() -> str | None:
        runtime = product.runtime_of(version)
        found = _output(reach, [PYTHON, "-c", "import platform; print(platform.python_version())"])
        if found is None:
            return f"{PYTHON} does not run; install python3 and python3-venv"
        series = Version(".".join(found.split(".")[:2]))
        if (runtime.min and series < Version(str(runtime.min))) or (runtime.max and series > Version(str(runtime.max))):
            limits = f"{runtime.min} to {runtime.max}"
            return f"{product.name} {version} needs Python {limits}, and this host has {found}; choose another release"
        return None

    return check


def lock_is_intact(product: Product, version: str) -> Check:
    """The lock file is the one whose digest the definition names."""

    def check() -> str | None:
        try:
            product.lock_of(version)
        except ApplianceError as error:
            return str(error)
        return None

    return check


def is_healthy(machine: Machine, probes: Mapping[str, Mapping[str, object]]) -> Check:
    """The CRM is well before it is changed: an upgrade must not be blamed for, or hide, an older fault."""

    def check() -> str | None:
        failing = [f"{result['name']}: {result['detail']}" for result in ask_probes(machine, probes.values()) if not result["healthy"]]
        return f"the CRM is not healthy now ({'; '.join(failing)}); mend that first" if failing else None

    return check


def database_answers(reach: Reach, database: DatabaseSpec) -> Check:
    """The instance's database cluster is up."""

    def check() -> str | None:
        answer = _query(reach, database, "select 1", database_name="postgres")
        return None if answer == "1" else "its PostgreSQL cluster does not answer; start it (see the host's services), then try again"

    return check


def queries_hold(reach: Reach, checks: Sequence[SqlCheck], database: DatabaseSpec) -> list[Check]:
    """The product's own conditions on the data before or after a hop."""

    def holding(query: SqlCheck) -> Check:
        def check() -> str | None:
            found = _query(reach, database, query.sql, database_name=str(database["name"]))
            return None if found == str(query.equals) else f"{query.message} (found {found}, wanted {query.equals})"

        return check

    return [holding(query) for query in checks]


def database_bytes(reach: Reach, database: DatabaseSpec) -> int:
    """Size of a deployment's database; 0 when it cannot be asked, which another check says."""
    found = _query(reach, database, f"select pg_database_size('{database['name']}')", database_name="postgres")
    return int(found) if found and found.isdigit() else 0


def _query(reach: Reach, database: DatabaseSpec, sql: str, *, database_name: str) -> str | None:
    where = ["-h", str(database["socket_directory"]), "-p", str(database["port"]), "-U", str(database["user"]), "-d", database_name]
    return _output(reach, ["psql", "-X", *where, "-Atc", sql])


def _output(reach: Reach, argv: Sequence[str]) -> str | None:
    """What a program printed, None when it failed. Raises HostUnreachable, HostRefused."""
    try:
        done = ask(reach, argv)
    except HOST_PROBLEMS:
        raise
    except StepFailed:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
