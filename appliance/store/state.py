"""The state of the appliance as one file: store, key, settings, the monitor's ledger. Whoever has it can open every secret in it."""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from packaging.version import Version

from appliance import __version__
from appliance.config import Settings
from appliance.domain.audit import BEGINNING, AuditHead
from appliance.domain.operation import OperationStatus
from appliance.errors import ConfigurationError, InvalidRequest, NotFound
from appliance.store import open_store

FORMAT = 1
MANIFEST = "manifest.json"
STORE, KEY, LEDGER, SETTINGS = "appliance.sqlite", "appliance.key", "monitor/ledger.sqlite", "etc/appliance.toml"
PRODUCTS = "etc/products/"
LARGEST_MEMBER_BYTES = 8 * 1024**3
AT_WORK = "It was at work when the appliance's backup was made; what it did afterwards is not known here."


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A backup that was examined: whole, and of a version that this one understands. Early versions did not note how far the audit went."""

    file: IO[bytes]
    version: str
    made_at: datetime
    audit: AuditHead | None = None

    def read(self, name: str) -> bytes | None:
        """One member, or None."""
        self.file.seek(0)
        with tarfile.open(fileobj=self.file, mode="r:gz") as tar:
            member = next((one for one in tar if one.name == name and one.isreg()), None)
            stream = tar.extractfile(member) if member else None
            return stream.read() if stream else None

    def products(self) -> dict[str, bytes]:
        """Product definitions of one's own, by path below their directory."""
        self.file.seek(0)
        with tarfile.open(fileobj=self.file, mode="r:gz") as tar:
            found = [one for one in tar if one.isreg() and one.name.startswith(PRODUCTS) and ".." not in Path(one.name).parts]
            return {one.name.removeprefix(PRODUCTS): stream.read() for one in found if (stream := tar.extractfile(one))}


def save(settings: Settings, file: IO[bytes], now: datetime) -> dict[str, Any]:
    """Write the state to an open file, so that it outlives a power cut; returns the manifest."""
    manifest = write(settings, file, now)
    file.flush()
    os.fsync(file.fileno())
    return manifest


def write(settings: Settings, file: IO[bytes], now: datetime) -> dict[str, Any]:
    """Write the state, from a moment at which it is consistent, whoever works on it meanwhile; returns the manifest."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.home) as directory:
        files = dict(_gathered(settings, Path(directory)))
        digests = {name: _digest(path) for name, path in files.items()}
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "made_at": now.isoformat(),
            "files": digests,
            "audit": _audit_of(files[STORE]),
        }
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            _add(tar, MANIFEST, json.dumps(manifest, indent=1).encode())
            for name, path in files.items():
                tar.add(path, arcname=name, recursive=False, filter=_anonymous)
    return manifest


def examine_archive(file: IO[bytes]) -> Archive:
    """Read a backup once through. Raises InvalidRequest when it is damaged, foreign, or of a newer version than this one."""
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as tar:
            members = {one.name: _digest_of(tar, one) for one in tar if one.name != MANIFEST}
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as tar:
            manifest = json.load(io.TextIOWrapper(tar.extractfile(MANIFEST) or io.BytesIO(), encoding="utf-8"))
        wanted, version, made_at = manifest["files"], manifest["version"], datetime.fromisoformat(manifest["made_at"])
        audit = AuditHead(**manifest["audit"]) if "audit" in manifest else None
        is_newer = Version(version) > Version(__version__) or manifest["format"] > FORMAT
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise _refused(f"This is not a whole backup of the appliance ({error})") from None
    if members != wanted or STORE not in wanted or KEY not in wanted:
        raise _refused("The backup was changed or cut off since it was made")
    if is_newer:
        raise _refused(f"The backup was made by version {version}, and this is {__version__}; install that version first")
    return Archive(file=file, version=version, made_at=made_at, audit=audit)


def put_back(settings: Settings, archive: Archive, *, settle: bool, now: datetime) -> dict[str, Any]:
    """Replace store, key and ledger by those of the backup; nothing may have them open. With `settle` nothing goes on by itself.

    Raises InvalidRequest when the store in it is damaged, with nothing replaced.
    """
    with tempfile.TemporaryDirectory(prefix="restore-", dir=settings.home) as name:
        directory = Path(name)
        for member, file in ((STORE, "store"), (KEY, "key"), (LEDGER, "ledger")):
            if (content := archive.read(member)) is not None:
                _write(directory / file, content)
        _check_store(directory / "store")
        settings.ledger_file.parent.mkdir(parents=True, exist_ok=True)
        for file, target in (("key", settings.key_file), ("store", settings.database_file), ("ledger", settings.ledger_file)):
            _replace(directory / file, target)
    return {"settled": _settle(settings, now) if settle else []}


def move(source: Settings, target: Settings) -> None:
    """Move a whole state to its place, the store last: until it is there, none of it counts. Nothing may have either open."""
    target.ledger_file.parent.mkdir(parents=True, exist_ok=True)
    _replace(source.key_file, target.key_file)
    _replace(source.ledger_file, target.ledger_file)
    _replace(source.database_file, target.database_file)


def copy_store(settings: Settings, directory: Path) -> None:
    """Store and key, as they are now, under the names that they have in a home."""
    _copy(settings.database_file, directory / STORE)
    _write(directory / KEY, settings.key_file.read_bytes())


def settings_of(archive: Archive) -> str:
    """The settings file; empty where there was none."""
    return (archive.read(SETTINGS) or b"").decode()


def _gathered(settings: Settings, directory: Path) -> Iterator[tuple[str, Path]]:
    if not settings.database_file.exists() or not settings.key_file.exists():
        raise NotFound(f"{settings.home} holds no appliance; there is nothing to back up.")
    yield STORE, _copy(settings.database_file, directory / "store")
    yield KEY, settings.key_file
    if settings.ledger_file.exists():
        yield LEDGER, _copy(settings.ledger_file, directory / "ledger")
    if (settings.etc / "appliance.toml").is_file():
        yield SETTINGS, settings.etc / "appliance.toml"
    for path in sorted((settings.etc / "products").rglob("*")):
        if path.is_file():
            yield f"{PRODUCTS}{path.relative_to(settings.etc / 'products')}", path


def _copy(source: Path, target: Path) -> Path:
    """SQLite's own online backup: one moment, also while others write."""
    with closing(sqlite3.connect(source, timeout=60)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
    return target


def _audit_of(store: Path) -> dict[str, Any]:
    """How far the audit goes in a copy of the store, which is not migrated for that."""
    with closing(sqlite3.connect(store)) as connection:
        newest = connection.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return asdict(AuditHead(entries=newest[0], hash=newest[1]) if newest else AuditHead(entries=0, hash=BEGINNING))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(datetime.now(UTC).timestamp())
    tar.addfile(entry, io.BytesIO(content))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = tar.extractfile(member)
    if stream is None or member.size > LARGEST_MEMBER_BYTES:
        raise ValueError(f"{member.name} does not belong there")
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _check_store(file: Path) -> None:
    try:
        with closing(sqlite3.connect(file)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise _refused(f"The store in the backup is damaged ({said})")


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _replace(source: Path, target: Path) -> None:
    """With what SQLite had kept beside it, which belongs to the file before."""
    for beside in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + beside).unlink(missing_ok=True)
    if source.exists():
        source.replace(target)
    else:
        target.unlink(missing_ok=True)


def _settle(settings: Settings, now: datetime) -> list[int]:
    """An operation that was at work then is not carried on with by itself: hosts have moved on since."""
    store = open_store(settings.database_file, settings.key_file)
    unfinished = store.operations.list(status=[OperationStatus.QUEUED, OperationStatus.RUNNING], limit=10_000)
    for operation in unfinished:
        if operation.status == OperationStatus.QUEUED and operation.started_at is None:
            store.operations.finish(operation.id, OperationStatus.CANCELLED, now=now, cause=AT_WORK)
            continue
        action = f"Look at the CRM, then go on where it stopped: appliance operation retry {operation.id}"
        store.operations.finish(operation.id, OperationStatus.NEEDS_ATTENTION, now=now, cause=AT_WORK, next_action=action)
    store.database.engine.dispose()
    return [operation.id for operation in unfinished]


def room_needed_bytes(settings: Settings) -> int:
    """What a copy of the state takes at most, twice: the copies and the file made of them."""
    files = [settings.database_file, settings.ledger_file]
    return 2 * sum(file.stat().st_size for file in files if file.exists())


def check_settings(text: str) -> Mapping[str, Any]:
    """What a settings file says. Raises ConfigurationError."""
    try:
        values = tomllib.loads(text)
        Settings.model_validate(values)
    except ValueError as error:
        raise ConfigurationError(f"The settings cannot be used: {error}. Nothing was changed.") from None
    return values


def free_bytes(directory: Path) -> int:
    """Room where a directory is, or will be."""
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    return shutil.disk_usage(existing).free


def _refused(problem: str) -> InvalidRequest:
    return InvalidRequest(f"{problem}. Nothing was changed.", field="file")
