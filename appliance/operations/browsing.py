"""Look what a recovery point holds, and give files of it out. Nothing is changed, so no operation is recorded.

What is given out is audited. The repository's secrets come with the request and stay in the memory of the program on the host: nothing
is laid down, and nothing is left behind by a visitor who goes away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from appliance.domain.instance import RecoveryPoint
from appliance.errors import CommandFailed, Conflict, InvalidRequest, NotFound
from appliance.hosts.reading import Reading, read
from appliance.hosts.streams import stream
from appliance.operations.machines import Machine, machine_of, require_reachable
from appliance.operations.steps.copying import choose_point, host_for
from appliance.operations.steps.repositories import PASSWORD, remote_repository, repository_name, repository_scope
from appliance.wiring import Appliance

LENT = "/lent/"
"""Where a spec names what comes with it (`backup/lent.py`)."""
CHANNEL = "files"
LIST_SECONDS = 60
PAGE = 500
Form = Literal["tar", "zip"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A place among the files of a recovery point: `path` is inside the CRM's uploads, the empty one is all of them.

    Without a `point` the newest is meant; `repository` is one elsewhere to read from.
    """

    instance: str
    point: str | None = None
    path: str = ""
    repository: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file, directory or link. `kind` is restic's word: file, dir, symlink, …"""

    name: str
    kind: str
    size: int
    modified: datetime
    permissions: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What is at a place of a recovery point: itself, and a page of what is in it. `count` is how many entries there are in all."""

    point: RecoveryPoint
    path: str
    kind: str
    size: int
    entries: tuple[Entry, ...]
    after: int
    count: int

    @property
    def next_after(self) -> int | None:
        """How many entries come before the next page, None on the last one."""
        seen = self.after + len(self.entries)
        return seen if seen < self.count and self.entries else None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many files at a place are new, others (`changed`) or the same as in the CRM that serves; the first of each are `named`.

    `gone` are there now and not in the recovery point; `bytes` is how much would be written if those that it has were restored.
    """

    point: RecoveryPoint
    new: int
    changed: int
    same: int
    gone: int
    bytes: int
    named: Mapping[str, Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file, or a folder as an archive, and what it is called. `size` is in bytes, None where nobody knows it before the end."""

    name: str
    size: int | None
    reading: Reading


def list_files(appliance: Appliance, wanted: Wanted, *, after: int = 0) -> Listing:
    """Look what is there, behind the first `after` entries.

    Raises NotFound, InvalidRequest, PreflightFailed, CommandFailed, HostUnreachable and HostRefused.
    """
    point, machine, spec = _asked(appliance, wanted)
    found = _told(machine, "files", {**spec, "after": after, "limit": PAGE})
    entries = tuple(_entry(one) for one in found["entries"])
    return Listing(
        point=point, path=wanted.path, kind=found["kind"], size=found["size"], entries=entries, after=after, count=found["count"]
    )


def compare_files(appliance: Appliance, wanted: Wanted) -> Comparison:
    """Look what would change if they were put where they were. Raises Conflict where nothing serves, and what `list_files` raises."""
    instance = appliance.store.instances.get(wanted.instance)
    if instance.deployment is None:
        raise Conflict(f"{instance.name} does not serve, so there is nothing to compare with. Nothing was changed.")
    point, machine, spec = _asked(appliance, wanted)
    found = _told(machine, "preview", {**spec, "target": instance.deployment.files})
    counts = {name: found[name] for name in ("new", "changed", "same", "gone", "bytes")}
    return Comparison(point=point, named=found["named"], **counts)


def list_tables(appliance: Appliance, wanted: Wanted) -> tuple[RecoveryPoint, list[str]]:
    """The recovery point, and the tables that its dump holds. Raises what `list_files` raises."""
    point = choose_point(appliance, wanted.instance, wanted.point)
    machine, spec = _point_asked(appliance, point, wanted.repository)
    return point, _told(machine, "tables", spec)["tables"]


def require_files(point: RecoveryPoint) -> str:
    """The tree in which a recovery point holds the CRM's uploads. Raises NotFound."""
    if "deployment" not in point.record or not point.record["snapshots"]["files"]:
        raise NotFound(f"Recovery point {point.id} holds no files. Nothing was changed.")
    return str(point.record["deployment"]["files"])


def open_download(appliance: Appliance, wanted: Wanted, *, form: Form, requested_by: str, now: datetime) -> Download:
    """Begin to give it out, which is audited. The reading has to be closed. Raises what `list_files` raises."""
    point, machine, spec = _asked(appliance, wanted)
    argv = [machine.layout.tools_python, "-m", "backup", "read"]
    try:
        reading = read(machine.reach, argv, {**spec, "archive": form})
    except CommandFailed as failure:
        raise _as_refusal(failure) from failure
    detail = {"point": point.id, "path": wanted.path, "repository": wanted.repository}
    appliance.store.access.audit(actor=requested_by, action="download files", subject=point.instance, detail=detail, now=now)
    name = PurePosixPath(wanted.path).name or f"{point.instance}-{point.id}"
    is_file = reading.facts["kind"] == "file"
    return Download(name=name if is_file else f"{name}.{form}", size=reading.facts["size"], reading=reading)


def _asked(appliance: Appliance, wanted: Wanted) -> tuple[RecoveryPoint, Machine, dict[str, Any]]:
    point = choose_point(appliance, wanted.instance, wanted.point)
    source = require_files(point)
    machine, spec = _point_asked(appliance, point, wanted.repository)
    return point, machine, {**spec, "source": source, "path": wanted.path}


def _point_asked(appliance: Appliance, point: RecoveryPoint, repository: str | None) -> tuple[Machine, dict[str, Any]]:
    machine = _machine(appliance, point, repository)
    spec = {
        "repository": _lent_repository(appliance, machine, repository or point.repository),
        "lent": _secrets(appliance, repository or point.repository),
        "crm": point.instance,
        "point": point.id,
    }
    return machine, spec


def _told(machine: Machine, verb: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    argv = [machine.layout.tools_python, "-m", "backup", verb]
    whole = {**spec, "deadline_seconds": LIST_SECONDS}
    try:
        return stream(machine.reach, argv, whole, environment={}, on_event=lambda _: None, is_cancelled=lambda: False)
    except CommandFailed as failure:
        raise _as_refusal(failure) from failure


def _machine(appliance: Appliance, point: RecoveryPoint, repository: str | None) -> Machine:
    """Where it is read: on the host it lies on, or, from a repository elsewhere, on the CRM's own host."""
    elsewhere = {one.name for one in appliance.store.repositories.list()}
    instance = appliance.store.instances.find(point.instance)
    own = instance.host if instance is not None and not instance.is_lost else None
    from_elsewhere = repository is not None or point.repository in elsewhere
    host = host_for(appliance, point, wanted=own if from_elsewhere else None, repository=repository)
    require_reachable(appliance, host)
    return machine_of(appliance, host, channel=CHANNEL)


def _secrets(appliance: Appliance, repository: str) -> Mapping[str, str]:
    return appliance.store.vault.all(repository_scope(repository))


def _lent_repository(appliance: Appliance, machine: Machine, repository: str) -> dict[str, Any]:
    files = {name: f"{LENT}{name}" for name in _secrets(appliance, repository)}
    if PASSWORD not in files:
        raise NotFound(f"The password of the repository {repository} is not kept. Nothing was changed.")
    if repository == repository_name(machine.host.name):
        return {"location": str(machine.layout.repository_directory), "password_file": files[PASSWORD]}
    location = appliance.store.repositories.get(repository).location
    return remote_repository(location, machine.layout.repository_directory.parent / "leases", files)


def _entry(told: Mapping[str, Any]) -> Entry:
    return Entry(**{**told, "modified": datetime.fromisoformat(told["modified"])})


def _as_refusal(failure: CommandFailed) -> Exception:
    """What the program on the host calls a failure may be a request that asks for what is not there."""
    if failure.code in ("not_held", "part_missing", "point_missing"):
        return NotFound(str(failure))
    return InvalidRequest(str(failure), field="path") if failure.code in ("invalid", "no_file") else failure
