"""Create, configure and drop PostgreSQL clusters so that a kill at any instruction is repaired by running it again.

Read by a task through standard input: `python3 - VERB JSON`. Prints one JSON object with `changed` and `version`. The JSON holds for one
cluster, or for each of a list, `cluster` and `cluster_state`; to create it also `database_port`, `socket_directory`, `start` (auto or
manual), `files` (content by name, below the cluster's configuration), `apply` (restart, or stop where a service manager starts it again)
and `unit_settings` (what systemd is told besides, empty where it is not PID 1).

`follow` makes the cluster as a standby of another, its `source`; `catch_up` waits until it receives what that one writes. `prepare` makes
it without any data, for files that a backup brings back (`cluster_version` says of which version); `settle` lets it count once they are
there; `recover` waits until it has replayed its log and serves. Both waits give up when the cluster has stood still for `still_seconds`.

The file `cluster_state` says whether the cluster is ours ("creating VERSION", "created VERSION"): a half-made one is made again, and one
that somebody else made is never touched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIGURATIONS = Path("/etc/postgresql")
DATA = Path("/var/lib/postgresql")
SERVERS = Path("/usr/lib/postgresql")
LOGS = Path("/var/log/postgresql")
UNITS = Path("/etc/systemd/system")
# "t" once it receives, else how far it is: what it has replayed of what it was copied with.
FOLLOWING = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'it follows no other'
            WHEN EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN 't'
            ELSE coalesce(pg_last_wal_replay_lsn()::text, 'nothing') END
"""
# The same of one that replays a log that a backup has brought back.
RECOVERED = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN 't' ELSE coalesce(pg_last_wal_replay_lsn()::text, 'nothing') END"


class ClusterFailed(Exception):
    """The cluster could not be made or dropped; the message says what was left unchanged."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    cluster: str
    state_file: Path
    port: int = 0
    socket_directory: Path = Path()
    start: str = "manual"
    files: dict[str, str] = field(default_factory=dict)
    apply: str = "restart"
    unit_settings: str = ""
    source: Request | None = None
    still_seconds: float = 60
    version: str = ""


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


def write_in_place(file: Path, text: str) -> None:
    """Write the few bytes where the former ones are: what is removed from a full disk must not need room there."""
    with file.open("r+") as stream:
        stream.write(text + "\n")
        stream.truncate()
        stream.flush()
        os.fsync(stream.fileno())


def create(request: Request) -> dict[str, object]:
    """Create the cluster unless it is there, and bring its settings up to date."""
    state, version = read_state(request.state_file)
    if state == "created":
        limited, changed = limit(request, version), configure(request, version)
        if changed:
            apply(request, version)
        return {"changed": limited or changed, "version": version}
    version = newest_server()
    begin(request, version)
    write_state(request.state_file, f"created {version}")
    return {"changed": True, "version": version}


def begin(request: Request, version: str) -> None:
    """Make the cluster, in the place of whatever was left of it. It is ours, but counts only when its state says that it is created."""
    state, left = read_state(request.state_file)
    if state == "" and (taken := versions_of(request.cluster)):
        raise ClusterFailed(
            f"A PostgreSQL cluster {taken[0]}/{request.cluster} exists that this appliance did not make. It was left as it is. "
            "Choose another name for the instance, or move that cluster away."
        )
    if state:
        drop_leftovers(left, request.cluster)
    write_state(request.state_file, f"creating {version}")
    initdb = ["--data-checksums", "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=und"]
    places = ["--port", str(request.port), "--socketdir", str(request.socket_directory), "--start-conf", request.start]
    run("pg_createcluster", *places, version, request.cluster, "--", *initdb)
    configure(request, version)
    limit(request, version)


def follow(request: Request) -> dict[str, object]:
    """Make the cluster anew, as a standby of the one that serves. It is not started."""
    source = request.source
    state, version = read_state(source.state_file) if source else ("", "")
    if source is None or state != "created":
        raise ClusterFailed(f"There is no cluster that {request.cluster} could follow. Nothing was changed.")
    if configure(source, version):
        run("pg_ctlcluster", version, source.cluster, "reload")
    begin(request, version)
    data = DATA / version / request.cluster
    shutil.rmtree(data)
    place = ["--host", str(request.socket_directory), "--port", str(source.port), "--username", "postgres", "--pgdata", str(data)]
    how = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-password"]
    run("runuser", "-u", "postgres", "--", str(SERVERS / version / "bin" / "pg_basebackup"), *place, *how)
    write_state(request.state_file, f"created {version}")
    return {"changed": True, "version": version}


def prepare(request: Request) -> dict[str, object]:
    """Make the cluster anew, with its settings and an empty directory for its data. It counts only when it is settled."""
    if not (SERVERS / request.version / "bin" / "initdb").exists():
        raise ClusterFailed(f"PostgreSQL {request.version}, which the data is of, is not installed. Nothing was changed.")
    begin(request, request.version)
    data = DATA / request.version / request.cluster
    shutil.rmtree(data)
    data.mkdir(mode=0o700)
    shutil.chown(data, "postgres", "postgres")
    return {"changed": True, "version": request.version}


def settle(request: Request) -> dict[str, object]:
    """Let the cluster count, now that its data is there."""
    state, version = read_state(request.state_file)
    if not (DATA / version / request.cluster / "PG_VERSION").exists():
        raise ClusterFailed(f"The data of {request.cluster} is not there. Nothing was changed.")
    write_state(request.state_file, f"created {version}")
    return {"changed": state != "created", "version": version}


def recover(request: Request) -> dict[str, object]:
    """Wait until the cluster has replayed its log and serves. Replaying may take long; standing still is not waited for."""
    return await_answer(request, RECOVERED, f"The recovered cluster {request.cluster}")


def catch_up(request: Request) -> dict[str, object]:
    """Wait until the cluster receives what the one that serves writes. Catching up may take long; standing still is not waited for."""
    return await_answer(request, FOLLOWING, f"The standby {request.cluster}")


def await_answer(request: Request, query: str, who: str) -> dict[str, object]:
    """Ask until the answer is "t", for as long as it changes. Raises ClusterFailed with the last lines of the cluster's log."""
    _, version = read_state(request.state_file)
    seen, deadline = "", time.monotonic() + request.still_seconds
    while (said := ask(request, query)) != "t":
        if said != seen:
            seen, deadline = said, time.monotonic() + request.still_seconds
        if time.monotonic() > deadline:
            last = "; ".join(log_file(version, request.cluster).read_text(errors="replace").splitlines()[-3:])
            raise ClusterFailed(f"{who} came no further for {request.still_seconds:.0f} s. Its log ends with: {last}")
        time.sleep(0.2)
    return {"changed": False, "version": version}


def ask(request: Request, query: str) -> str:
    """What the cluster's server answers, "" when it does not."""
    place = ["--host", str(request.socket_directory), "--port", str(request.port), "--username", "postgres", "--dbname", "postgres"]
    argv = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--no-password", *place, "--command", query]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def log_file(version: str, cluster: str) -> Path:
    """Where Debian's tools let a cluster write its log."""
    return LOGS / f"postgresql-{version}-{cluster}.log"


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
    for log in LOGS.glob(f"{log_file(version, cluster).name}*"):
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
    write_in_place(request.state_file, f"creating {version}")
    drop_leftovers(version, request.cluster)
    request.state_file.unlink()
    return {"changed": True, "version": version}


def parse(text: str) -> list[Request]:
    """Build the requests from the task's JSON."""
    told = json.loads(text)
    return [request_of(spec) for spec in (told if isinstance(told, list) else [told])]


def request_of(spec: dict[str, Any]) -> Request:
    """What the task says of one cluster."""
    return Request(
        cluster=spec["cluster"],
        state_file=Path(spec["cluster_state"]),
        port=int(spec.get("database_port") or 0),
        socket_directory=Path(spec.get("socket_directory", "")),
        start=spec.get("start", "manual"),
        files=dict(spec.get("files") or {}),
        apply=spec.get("apply", "restart"),
        still_seconds=float(spec.get("still_seconds", 60)),
        unit_settings=spec.get("unit_settings", ""),
        version=str(spec.get("cluster_version", "")),
        source=request_of(spec["source"]) if spec.get("source") else None,
    )


VERBS = {
    "create": create,
    "follow": follow,
    "catch_up": catch_up,
    "prepare": prepare,
    "settle": settle,
    "recover": recover,
    "remove": remove,
}


def main(verb: str, text: str) -> int:
    """Carry out one verb and print what changed."""
    try:
        done = [VERBS[verb](request) for request in parse(text)]
        print(json.dumps({"changed": any(one["changed"] for one in done), "version": done[-1]["version"]}))
    except ClusterFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
