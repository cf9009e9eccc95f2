"""Checks before the first change: each gives a sentence with its mend, or None. Nothing here changes anything."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from packaging.version import Version

from appliance.domain.instance import Deployment
from appliance.domain.product import ProductDefinition
from appliance.domain.product_steps import Check as SqlCheck
from appliance.errors import ApplianceError, PreflightFailed
from appliance.operations.steps.health import ask
from appliance.products.catalogue import Product

Check = Callable[[], str | None]

RELEASE_BYTES = 600 * 1024**2
"""A release with its environment; the largest measured takes 330 MB."""
COPIES = 2
"""A copy of the database beside the original, and as much again for what a migration rewrites."""


def require(checks: Iterable[Check]) -> str:
    """Run every check. Raises PreflightFailed with all that said no."""
    checks = tuple(checks)
    failures = tuple(failure for check in checks if (failure := check()) is not None)
    if failures:
        raise PreflightFailed(failures)
    return f"{len(checks)} checks passed"


def port_is_free(address: str, port: int) -> Check:
    """Nothing else listens where the CRM is to answer."""

    def check() -> str | None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return f"{address}:{port} cannot be used ({error.strerror}); choose another with --set port=…"
        return None

    return check


def disk_has_room(directory: Path, needed_bytes: int) -> Check:
    """Room for what the operation writes before it gives anything back."""

    def check() -> str | None:
        existing = next(parent for parent in (directory, *directory.parents) if parent.exists())
        free_bytes = shutil.disk_usage(existing).free
        if free_bytes >= needed_bytes:
            return None
        return f"{existing} has {free_bytes // 1024**2} MB free and {needed_bytes // 1024**2} MB are needed; make room there"

    return check


def runtime_fits(product: ProductDefinition, version: str) -> Check:
    """The host's interpreter is one that the release supports."""

    def check() -> str | None:
        runtime = product.runtime_of(version)
        found = _output(["/usr/bin/python3", "-c", "import platform; print(platform.python_version())"])
        if found is None:
            return "/usr/bin/python3 does not run; install python3 and python3-venv"
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


def is_healthy(probes: Mapping[str, Mapping[str, object]]) -> Check:
    """The CRM is well before it is changed: an upgrade must not be blamed for, or hide, an older fault."""

    def check() -> str | None:
        failing = [f"{result['name']}: {result['detail']}" for result in ask(probes.values()) if not result["healthy"]]
        return f"the CRM is not healthy now ({'; '.join(failing)}); mend that first" if failing else None

    return check


def database_answers(socket_directory: str, port: int) -> Check:
    """The instance's database cluster is up."""

    def check() -> str | None:
        answer = _output(["psql", "-X", "-h", socket_directory, "-p", str(port), "-U", "postgres", "-Atc", "select 1"])
        return None if answer == "1" else "its PostgreSQL cluster does not answer; start it (see the host's services), then try again"

    return check


def queries_hold(checks: Sequence[SqlCheck], deployment: Deployment, socket_directory: str, port: int) -> list[Check]:
    """The product's own conditions on the data before a hop."""

    def holding(query: SqlCheck) -> Check:
        def check() -> str | None:
            argv = ["psql", "-X", "-h", socket_directory, "-p", str(port), "-U", "postgres", "-d", deployment.database, "-Atc", query.sql]
            found = _output(argv)
            return None if found == str(query.equals) else f"{query.message} (found {found}, wanted {query.equals})"

        return check

    return [holding(query) for query in checks]


def database_bytes(deployment: Deployment, socket_directory: str, port: int) -> int:
    """Size of the deployment's database; 0 when it cannot be asked, which another check says."""
    argv = ["psql", "-X", "-h", socket_directory, "-p", str(port), "-U", "postgres", "-Atc"]
    found = _output([*argv, f"select pg_database_size('{deployment.database}')"])
    return int(found) if found and found.isdigit() else 0


def _output(argv: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
