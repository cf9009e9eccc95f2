"""One restic repository: what a run may ask of it, in the words of restic."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from backup import restic_arguments
from backup.events import Reporter
from backup.failures import BackupFailure, NoRepository, RepositoryLocked
from backup.locations import environment_of, flags_of
from backup.locks import Lock, is_stale, lease, lease_file, presence_file, this_host
from backup.ownership import Node
from backup.points import Snapshot
from backup.quick_key import quick_key, set_aside_damaged
from backup.restic_executor import BINARY, OLDEST_USABLE, ResticExecutor, install
from backup.spec import RepositorySpec

PRESENT_WAIT_SECONDS = 10
ROOM_FOR_LOCKS_BYTES = 64 * 1024
SNAPSHOTS = TypeAdapter(list[Snapshot])


class Saved(BaseModel):
    """What restic says at the end of a backup; sizes in bytes, `data_added_packed` as stored."""

    snapshot_id: str
    data_added_packed: int
    total_bytes_processed: int


class SavedFile(BaseModel):
    """A file of a snapshot, as restic lists it; its size in bytes."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    path: str
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository opened with resticpy; `version` is restic's own."""

    spec: RepositorySpec
    executor: ResticExecutor
    resticpy: Any
    version: str

    def apart(self) -> "Repository":
        """The same for a thread of its own, which saves something meanwhile and has its own progress and warnings."""
        own = replace(self.executor, inherited=list(self.executor.inherited), warnings=[])
        return replace(self, executor=own)

    def exists(self) -> bool:
        """Say whether there is a repository that the password opens; raises `WrongPassword`."""
        try:
            self.resticpy.cat.config()
        except NoRepository:
            return False
        return True

    def init(self) -> None:
        """Create the repository."""
        self.resticpy.init()

    def snapshots(self, tags: Sequence[str]) -> list[Snapshot]:
        """List the snapshots that carry all the tags."""
        return SNAPSHOTS.validate_python(self.resticpy.snapshots(tags=list(tags) or None))

    @contextmanager
    def stage(self, name: str, expected_bytes: int | None = None) -> Iterator[None]:
        """Name what the progress inside is of."""
        self.executor.stage, self.executor.expected_bytes = name, expected_bytes
        self.executor.reporter.progress(name, bytes_done=0, bytes_total=expected_bytes)
        yield
        self.executor.stage, self.executor.expected_bytes = "", None

    def save_paths(self, paths: Sequence[str], *, tags: Sequence[str], excluded: Sequence[str] = ()) -> Saved:
        """Back up directories; `excluded` are restic's patterns."""
        return self._complete(_summary(self.executor.more(restic_arguments.backup_paths(paths, tags=tags, excluded=excluded))))

    def save_command(self, command: Sequence[str], *, filename: str, tags: Sequence[str]) -> Saved:
        """Back up what a command writes; nothing is saved if it fails."""
        arguments = restic_arguments.backup_command(command, filename=filename, tags=tags)
        return self._complete(_summary(self.executor.more(arguments)))

    def save_bytes(self, content: bytes, *, filename: str, tags: Sequence[str]) -> Saved:
        """Back up a few bytes as a file."""
        return _summary(self.executor.more(restic_arguments.backup_stdin(filename=filename, tags=tags), stdin=content))

    def _complete(self, saved: Saved) -> Saved:
        total = saved.total_bytes_processed
        self.executor.reporter.progress(self.executor.stage, bytes_done=total, bytes_total=total)
        return saved

    def read_file(self, snapshot: str, filename: str) -> str:
        """Read one small text file of a snapshot."""
        return self.executor.more(restic_arguments.dump(snapshot, filename))

    def directory(self, snapshot: str, path: str) -> Node:
        """Give the owner and mode that a directory had."""
        lines = self.executor.more(restic_arguments.ls(snapshot, path)).splitlines()
        entries = (json.loads(line) for line in lines)
        return Node.model_validate(next(entry for entry in entries if entry.get("path") == path))

    def see_files(self, snapshot: str, directories: Sequence[str], see: Callable[[SavedFile], None]) -> None:
        """Hand over each file below directories of a snapshot, however many there are."""

        def look(line: str) -> None:
            node = json.loads(line)
            if node.get("type") == "file":
                see(SavedFile.model_validate(node))

        self.executor.listen(restic_arguments.ls_below(snapshot, directories), look)

    def restore_files(self, snapshot: str, paths: Sequence[str], *, target: str) -> None:
        """Restore some files below a directory, each at its whole path."""
        self.executor.more(restic_arguments.restore_files(snapshot, paths, target=target))

    def list_nodes(self, tree: str, path: str, hear: Callable[[str], None], *, deeply: bool = False) -> None:
        """List what is at a path of a tree: itself, unless it is the tree, then what is in it; each as restic's line of JSON."""
        self.executor.listen((restic_arguments.ls_tree if deeply else restic_arguments.ls)(tree, path), hear)

    def restore_tree(self, snapshot: str, *, source: str, target: str) -> None:
        """Restore and verify one directory."""
        self.executor.more(restic_arguments.restore_tree(snapshot, source=source, target=target))

    def forget(self, snapshots: Sequence[str]) -> None:
        """Forget snapshots; those that are gone already are not an error.

        Raises a failure `nothing_removed` if they are still there: restic 0.18 ends well where a server has refused each removal.
        """
        if not snapshots:
            return
        self.executor.more(restic_arguments.forget(snapshots))
        if kept := {one.id for one in self.snapshots([])} & set(snapshots):
            raise BackupFailure(
                f"The repository {self.spec.location} has kept {len(kept)} snapshots: it lets be added only.", code="nothing_removed"
            )

    def prune(self) -> None:
        """Free the space that no snapshot uses."""
        self.executor.more(restic_arguments.prune())

    @contextmanager
    def held(self, purpose: str) -> Iterator[None]:
        """Keep other runs out for the length of the block, having cleared the locks that dead runs left."""
        if not self.executor.takes_locks:
            yield
            return
        path = lease_file(self.spec.location, self.spec.lock_directory)
        with lease(path, purpose=purpose, wait_seconds=self.spec.wait_seconds) as descriptor:
            self.executor.inherited.append(descriptor)
            self._clear_stale_locks()
            yield
            self.executor.inherited.remove(descriptor)

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Add a little beside whatever else is done here, for the length of the block: only those who would remove its locks wait."""
        with self._present(shared=True) as descriptor:
            self.executor.inherited.append(descriptor)
            try:
                yield
            finally:
                self.executor.inherited.remove(descriptor)

    @contextmanager
    def _present(self, *, shared: bool) -> Iterator[int]:
        path = presence_file(lease_file(self.spec.location, self.spec.lock_directory))
        with lease(path, purpose="adding", wait_seconds=PRESENT_WAIT_SECONDS, shared=shared) as descriptor:
            yield descriptor

    def clear_stale_locks(self) -> None:
        """Clear the locks that dead runs left, unless a live run holds the repository: that one did so when it started."""
        path = lease_file(self.spec.location, self.spec.lock_directory)
        if self.executor.takes_locks and not self.executor.is_full and _may_hold_locks(self.spec):
            with suppress(RepositoryLocked), lease(path, purpose="clearing locks", wait_seconds=0):
                self._clear_stale_locks()

    def _clear_stale_locks(self) -> None:
        if not _may_hold_locks(self.spec):
            return
        try:
            with self._present(shared=False):
                self._clear_if_all_are_stale()
        except RepositoryLocked:  # somebody is adding something, who will be asked to next time
            return

    def _clear_if_all_are_stale(self) -> None:
        try:
            names = self.resticpy.list.locks()
            locks = [Lock.model_validate_json(self.executor.more(restic_arguments.cat_lock(name))) for name in names]
        except BackupFailure:  # one vanished meanwhile, so somebody is alive and working; or what follows will say it, too
            return
        now = datetime.now(UTC)
        if locks and all(is_stale(lock, now=now, hostname=this_host()) for lock in locks):
            self.executor.reporter.log("Removing the locks that an interrupted run left in the repository.")
            self.executor.more(restic_arguments.unlock_all())


def open_repository(spec: RepositorySpec, reporter: Reporter) -> Repository:
    """Open a repository for this process; refuses a restic that is missing or too old, before anything is written."""
    if not os.access(spec.password_file, os.R_OK):
        raise BackupFailure(f"The password file {spec.password_file} is missing or may not be read.", code="password_file_missing")
    executor = ResticExecutor(location=spec.location, reporter=reporter, wait_seconds=spec.wait_seconds)
    executor.is_full = spec.is_local and Path(spec.location).exists() and shutil.disk_usage(spec.location).free < ROOM_FOR_LOCKS_BYTES
    executor.takes_locks = not spec.is_local or not Path(spec.location).exists() or os.access(spec.location, os.W_OK)
    executor.flags = flags_of(key_file=spec.key_file, known_hosts=spec.known_hosts, authority=spec.authority)
    executor.flags += _first_key(executor) if spec.is_local else []
    try:
        executor.environment = environment_of(spec.credentials)
    except OSError as error:
        raise BackupFailure(f"A credential cannot be read: {error}.", code="credential_missing") from error
    resticpy = install(executor, password_file=spec.password_file)
    return Repository(spec=spec, executor=executor, resticpy=resticpy, version=_usable_version(resticpy))


def _first_key(executor: ResticExecutor) -> list[str]:
    location = Path(executor.location)
    with suppress(OSError):  # on a disk that is read-only restic says best what is wrong
        if set_aside_damaged(location):
            executor.reporter.log("The quick key of the repository was damaged and is set aside; restic's own key opens it.")
    hint = quick_key(location)
    return restic_arguments.first_key(hint) if hint else []


def require_writable(spec: RepositorySpec) -> None:
    """Refuse a directory that this user may not write to, before anything else is done; another machine will say so itself."""
    path, location = Path(spec.location), spec.location
    if (
        spec.is_local
        and path.exists()
        and not all(os.access(folder, os.W_OK) for folder in (path, *(p for p in path.iterdir() if p.is_dir())))
    ):
        raise BackupFailure(f"The repository {location} may not be written to. Correct its owner, mode or mount.", code="not_writable")


def _usable_version(resticpy: Any) -> str:
    try:
        version = str(resticpy.version()["restic_version"])
    except BackupFailure as failure:
        if failure.code != "version_failed":
            raise
        raise BackupFailure("restic is not installed or does not run. Install restic 0.17 or newer.", code="restic_missing") from failure
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_USABLE:
        raise BackupFailure(
            f"{BINARY} {version} is too old: 0.17 or newer is needed, because older ones keep a dump that failed.", code="restic_too_old"
        )
    return version


def _summary(output: str) -> Saved:
    last = output.strip().splitlines()[-1]
    return Saved.model_validate(json.loads(last))


def _may_hold_locks(spec: RepositorySpec) -> bool:
    """Look whether restic's folder of locks holds anything, which spares an empty one half a second of key derivation."""
    folder = Path(spec.location) / "locks"
    return not spec.is_local or (folder.is_dir() and any(folder.iterdir()))
