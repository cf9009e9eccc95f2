"""Releases of the appliance side by side: each an environment of its own, owned by root, complete when its record is there.

Run as a program (`python3 -m appliance.production.releases WHEEL`) this needs Python's standard library only, also from within the wheel.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from appliance.errors import InvalidRequest, StepFailed
from appliance.production.places import Places

DISTRIBUTION = "crm-appliance"
LOCK = "appliance/requirements.txt"
"""The lock of everything the appliance runs with, which its wheel carries."""
PYTHON = "/usr/bin/python3"
RECORD = "release.json"
KEPT_RELEASES = 2
SHOWN_LINES = 15
NAMED_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel of the appliance that was examined."""

    file: Path
    version: str
    digest: str

    @property
    def release(self) -> str:
        """The name of its release."""
        return f"{self.version}-{self.digest[:NAMED_DIGITS]}"


def read_wheel(file: Path) -> Wheel:
    """Examine a wheel: whole, unchanged since it was built, ours, with its lock, for this Python. Raises InvalidRequest."""
    try:
        content = file.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_record(archive)
            headers = HeaderParser().parsestr(_member(archive, ".dist-info/METADATA"))
            names = set(archive.namelist())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _refused(f"{file} is not a whole wheel ({error})") from None
    if headers["Name"] != DISTRIBUTION:
        raise _refused(f"{file} is a wheel of {headers['Name']}, not of {DISTRIBUTION}")
    if LOCK not in names:
        raise _refused(f"{file} carries no lock ({LOCK}), so what it needs cannot be installed with digests")
    if needed := _newer_python(headers["Requires-Python"]):
        raise _refused(f"{headers['Name']} {headers['Version']} needs Python {needed}, and this machine has {sys.version.split()[0]}")
    return Wheel(file=file, version=str(headers["Version"]), digest=hashlib.sha256(content).hexdigest())


def _check_record(archive: zipfile.ZipFile) -> None:
    """Compare every file with the digest that the wheel's own list gives. Raises ValueError, KeyError."""
    digests = {row[0]: row[1] for row in csv.reader(io.StringIO(_member(archive, ".dist-info/RECORD"))) if row}
    for name in archive.namelist():
        if name.endswith(("/", ".dist-info/RECORD")):
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).rstrip(b"=").decode()
        if digests.get(name) != f"sha256={digest}":
            raise ValueError(f"{name} is not what its list of files says")


def _member(archive: zipfile.ZipFile, ending: str) -> str:
    found = [name for name in archive.namelist() if name.endswith(ending) and name.count("/") == 1]
    if len(found) != 1:
        raise ValueError(f"it has no {ending.rpartition('/')[2]}")
    return archive.read(found[0]).decode()


def _newer_python(required: str | None) -> str | None:
    lowest = (required or "").partition(">=")[2].partition(",")[0].strip()
    return lowest if lowest and tuple(int(part) for part in lowest.split(".")[:2]) > sys.version_info[:2] else None


def _refused(problem: str) -> InvalidRequest:
    return InvalidRequest(f"{problem}. Nothing was changed.", field="wheel")


def install(wheel: Wheel, places: Places, *, uv: str | None, environment: Mapping[str, str]) -> Path:
    """Install a release beside the others, unless it is there; returns its directory. Without `uv` pip does it. Raises StepFailed."""
    directory = places.releases / wheel.release
    if (directory / RECORD).is_file():
        return directory
    os.umask(0o022)
    shutil.rmtree(directory, ignore_errors=True)
    places.releases.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="appliance-release-") as scratch:
        lock, file = _unpack(wheel, Path(scratch))
        _run([PYTHON, "-m", "venv", *(["--without-pip"] if uv else []), str(directory)], environment)
        pip = [uv, "pip", "install", "--python", str(directory / "bin" / "python"), "--compile-bytecode"] if uv else _pip(directory)
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)], environment)
        _run([*pip, "--no-deps", str(file)], environment)
    (directory / ".lock").unlink(missing_ok=True)  # uv's own, which everybody could write to
    os.sync()  # the record must not outlive, on disk, what it vouches for
    write_durably(directory / RECORD, json.dumps({"version": wheel.version, "digest": wheel.digest}))
    return directory


def _pip(directory: Path) -> list[str]:
    return [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _unpack(wheel: Wheel, scratch: Path) -> tuple[Path, Path]:
    """The lock, and the wheel under the name that installers insist on."""
    file = scratch / f"crm_appliance-{wheel.version}-py3-none-any.whl"
    shutil.copyfile(wheel.file, file)
    if hashlib.sha256(file.read_bytes()).hexdigest() != wheel.digest:
        raise _refused(f"{wheel.file} was changed while it was looked at")
    with zipfile.ZipFile(file) as archive:
        (scratch / "lock.txt").write_bytes(archive.read(LOCK))
    return scratch / "lock.txt", file


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=dict(environment), check=False)
    if done.returncode:
        said = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-SHOWN_LINES:])
        raise StepFailed(f"{Path(argv[0]).name} ended with exit code {done.returncode}; what runs was left as it is.\n{said}")


def running(places: Places) -> Path | None:
    """The release that the link names."""
    try:
        return places.releases / places.current.readlink().name
    except OSError:
        return None


def version_of(release: Path) -> str:
    """Its version; empty for one that is not complete."""
    try:
        return str(json.loads((release / RECORD).read_text())["version"])
    except (OSError, ValueError, KeyError):
        return ""


def switch_link(link: Path, release: Path) -> None:
    """Let a link name a release, at one moment and durably."""
    partial = link.with_name(f".{link.name}.partial")
    partial.unlink(missing_ok=True)
    partial.symlink_to(release)
    partial.replace(link)
    sync_directory(link.parent)


def write_durably(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Give a file its content at one moment, on disk when this returns."""
    partial = file.with_name(f".{file.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
    sync_directory(file.parent)


def sync_directory(directory: Path) -> None:
    """See that the names in a directory are on disk."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def prune(places: Places, *, keep: Sequence[Path]) -> list[str]:
    """Remove all releases but those to keep and the newest of the rest, up to KEPT_RELEASES; returns their names."""
    kept = {release.name for release in keep}
    others = sorted((one for one in places.releases.iterdir() if one.name not in kept), key=lambda one: one.stat().st_mtime, reverse=True)
    outdated = others[max(0, KEPT_RELEASES - len(kept)) :]
    for release in outdated:
        discard(release)
    return [release.name for release in outdated]


def discard(release: Path) -> None:
    """Remove a release; its record first, so that no half of it counts."""
    (release / RECORD).unlink(missing_ok=True)
    shutil.rmtree(release, ignore_errors=True)


def main() -> int:
    """Install the release of a wheel and print its directory."""
    parser = argparse.ArgumentParser(description="Install a release of the appliance beside the others.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--uv", help="the installer; pip without it")
    chosen = parser.parse_args()
    try:
        print(install(read_wheel(chosen.wheel), Places(), uv=chosen.uv, environment=os.environ))
    except (InvalidRequest, StepFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
