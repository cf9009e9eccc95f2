"""Create, configure and drop a PostgreSQL cluster so that a kill at any instruction is repaired by running it again.

Read by a task through standard input: `python3 - VERB JSON`. Prints one JSON object with `changed` and `version`. The JSON holds
`cluster`, `port`, `socket_directory`, `start` (auto or manual), `state_file`, and to create also `files` (content by name, below the
cluster's configuration), `apply` (restart, or stop where a service manager starts it again) and `unit_settings` (what systemd is told
besides, empty where it is not PID 1). The state file says whether the cluster is ours ("creating VERSION", "created VERSION"): a
half-made one is made again, and one that somebody else made is never touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

CONFIGURATIONS = Path("/etc/postgresql")
DATA = Path("/var/lib/postgresql")
SERVERS = Path("/usr/lib/postgresql")
UNITS = Path("/etc/systemd/system")


class ClusterFailed(Exception):
    """The cluster could not be made or dropped; the message says what was left unchanged."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    cluster: str
    port: int
    socket_directory: Path
    start: str
    state_file: Path
    files: dict[str, str] = field(default_factory=dict)
    apply: str = "restart"
    unit_settings: str = ""


def run(*argv: str) -> None:
    """Run a program; its error output becomes the failure's message."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterFailed(f"{argv[0]} failed with exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def newest_server() -> str:
    """The highest major version whose server is installed."""
    versions = [directory.parent.parent.name for directory in SERVERS.glob("*/bin/initdb")]
    if not versions:
        raise ClusterFailed("No PostgreSQL server is installed. Nothing was changed. Run the playbook host_prepare first.")
    return max(versions, key=int)


def versions_of(cluster: str) -> list[str]:
    """The versions under which a cluster of this name has a configuration or data."""
    found = [path.parent.name for root in (CONFIGURATIONS, DATA) for path in root.glob(f"*/{cluster}")]
    return sorted(set(found))


def read_state(file: Path) -> tuple[str, str]:
    """("", "") when nothing was begun, else ("creating" | "created", version)."""
    state, _, version = file.read_text().strip().partition(" ") if file.exists() else ("", "", "")
    return state, version


def write_state(file: Path, text: str) -> None:
    """Replace the state file in one step and make it durable, since what follows relies on it."""
    new = file.with_name(f"{file.name}.new")
    with new.open("w") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


def create(request: Request) -> dict[str, object]:
    """Create the cluster unless it is there, and bring its settings up to date."""
    state, version = read_state(request.state_file)
    if state == "created":
        limited, changed = limit(request, version), configure(request, version)
        if changed:
            apply(request, version)
        return {"changed": limited or changed, "version": version}
    if state == "" and (taken := versions_of(request.cluster)):
        raise ClusterFailed(
            f"A PostgreSQL cluster {taken[0]}/{request.cluster} exists that this appliance did not make. It was left as it is. "
            "Choose another name for the instance, or move that cluster away."
        )
    if state == "creating":
        drop_leftovers(version, request.cluster)
    version = newest_server()
    write_state(request.state_file, f"creating {version}")
    initdb = ["--data-checksums", "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=und"]
    places = ["--port", str(request.port), "--socketdir", str(request.socket_directory), "--start-conf", request.start]
    run("pg_createcluster", *places, version, request.cluster, "--", *initdb)
    configure(request, version)
    limit(request, version)
    write_state(request.state_file, f"created {version}")
    return {"changed": True, "version": version}


def configure(request: Request, version: str) -> bool:
    """Write the settings that differ, each by a rename. True when one did."""
    directory = CONFIGURATIONS / version / request.cluster
    differing = {
        directory / name: text
        for name, text in request.files.items()
        if not (directory / name).exists() or (directory / name).read_text() != text
    }
    for path, text in differing.items():
        new = path.with_name(f"{path.name}.new")
        new.write_text(text)
        new.chmod(0o640)
        shutil.chown(new, "postgres", "postgres")
        new.replace(path)
    return bool(differing)


def limit(request: Request, version: str) -> bool:
    """Tell systemd what the cluster may take of the machine; that is in force at once. True when it was told something new."""
    file = unit_settings_file(version, request.cluster)
    if not request.unit_settings or (file.exists() and file.read_text() == request.unit_settings):
        return False
    file.parent.mkdir(mode=0o755, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.write_text(request.unit_settings)
    new.chmod(0o644)
    new.replace(file)
    run("systemctl", "daemon-reload")
    return True


def unit_settings_file(version: str, cluster: str) -> Path:
    """What is added to Debian's unit for this cluster."""
    return UNITS / f"postgresql@{version}-{cluster}.service.d" / "appliance.conf"


def apply(request: Request, version: str) -> None:
    """Let a running server read changed settings. One that does not run (exit code 2) is started later."""
    done = subprocess.run(["pg_ctlcluster", version, request.cluster, request.apply], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2):
        raise ClusterFailed(f"The settings of {version}/{request.cluster} were written and are not in force: {done.stderr.strip()}")


def drop_leftovers(version: str, cluster: str) -> None:
    """Take away what an interrupted creation or removal left."""
    if (CONFIGURATIONS / version / cluster / "postgresql.conf").exists() and (DATA / version / cluster / "PG_VERSION").exists():
        run("pg_dropcluster", "--stop", version, cluster)
    for path in (CONFIGURATIONS / version / cluster, DATA / version / cluster):
        shutil.rmtree(path, ignore_errors=True)
    for log in Path("/var/log/postgresql").glob(f"postgresql-{version}-{cluster}.log*"):
        log.unlink()
    for directory in (CONFIGURATIONS / version, DATA / version):
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
    if (settings := unit_settings_file(version, cluster)).exists():
        shutil.rmtree(settings.parent)
        run("systemctl", "daemon-reload")


def remove(request: Request) -> dict[str, object]:
    """Drop the cluster if this appliance made it."""
    state, version = read_state(request.state_file)
    if state == "":
        return {"changed": False, "version": ""}
    write_state(request.state_file, f"creating {version}")
    drop_leftovers(version, request.cluster)
    request.state_file.unlink()
    return {"changed": True, "version": version}


def parse(text: str) -> Request:
    """Build the request from the task's JSON."""
    spec = json.loads(text)
    return Request(
        cluster=spec["cluster"],
        port=int(spec["port"]),
        socket_directory=Path(spec["socket_directory"]),
        start=spec["start"],
        state_file=Path(spec["state_file"]),
        files=dict(spec.get("files") or {}),
        apply=spec.get("apply", "restart"),
        unit_settings=spec.get("unit_settings", ""),
    )


def main(verb: str, text: str) -> int:
    """Carry out one verb and print what changed."""
    try:
        print(json.dumps({"create": create, "remove": remove}[verb](parse(text))))
    except ClusterFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
