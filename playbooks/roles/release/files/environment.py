"""Make the Python environment of a release: exactly the packages of its lock, each checked against its hash.

Read by a task: the description is JSON on standard input: `directory` of the release, `lock` (its text), `uv`, `python`, `cache` (of uv's
downloads, or ""). Prints one JSON object with `changed`. The environment counts once its record, written last, names this lock; anything
else in the directory is a leftover and is removed. Whoever comes while another one is at it waits, and finds the work done.

Packages come from where this machine's pip gets them: index, proxy, certificates, from pip's own files and PIP_* variables in pip's
order. A release is built by uv, on a machine whose administrator may have told only pip.
"""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OF_THE_MACHINE = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
OF_THE_USER = (Path("~/.pip/pip.conf"), Path("~/.config/pip/pip.conf"))
SECTIONS = ("global", "install")
# A wheel's files are copied, since links into the cache would let a change there reach into a release that is immutable.
ALWAYS = {"UV_LINK_MODE": "copy", "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "UV_HTTP_TIMEOUT": "120"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the task asked for."""

    directory: Path
    lock: str
    uv: str
    python: str
    cache: str = ""

    @property
    def venv(self) -> Path:
        """The environment."""
        return self.directory / "venv"

    @property
    def record(self) -> Path:
        """Says what the environment was made from; root's, as is everything in the environment."""
        return self.venv / "made-from"

    @property
    def made_from(self) -> str:
        """What the record of a finished environment holds."""
        return hashlib.sha256(self.lock.encode()).hexdigest() + "\n"


def main() -> int:
    """Make the environment unless it is there, and print whether something was changed."""
    os.umask(0o022)
    request = Request(**{**(spec := json.load(sys.stdin)), "directory": Path(spec["directory"])})
    request.directory.parent.mkdir(parents=True, exist_ok=True)
    with alone(request.directory.parent):
        changed = not is_made(request)
        clear(request, keep=not changed)
        if changed:
            make(request, {name: value for name, value in os.environ.items() if not name.startswith("UV_")})
    print(json.dumps({"changed": changed}))
    return 0


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Wait until nobody else makes an environment in a directory of this one, nor a program that a killed one has left at work."""
    handle = os.open(directory, os.O_RDONLY)
    os.set_inheritable(handle, True)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def is_made(request: Request) -> bool:
    """Whether it is finished, and nobody but root could have changed it since: the CRM's user may have had the directory for a while."""
    places = (request.directory, request.venv, request.record)
    try:
        mine = all(place.lstat().st_uid == os.geteuid() and not place.is_symlink() for place in places)
        return mine and request.record.read_text() == request.made_from
    except OSError:
        return False


def clear(request: Request, *, keep: bool) -> None:
    """Remove what an interrupted build left; with `keep` all but the environment and the lock."""
    request.directory.mkdir(mode=0o755, exist_ok=True)
    os.chown(request.directory, os.geteuid(), os.getegid())
    for path in request.directory.iterdir():
        if keep and path.name in {"venv", "lock.txt"}:
            continue
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def make(request: Request, environment: Mapping[str, str]) -> None:
    """Install the packages and record it when everything is on disk."""
    pip = settings(environment)
    variables = {**environment, **translate(pip), **ALWAYS, **({"UV_CACHE_DIR": request.cache} if request.cache else {})}
    lock = request.directory / "lock.txt"
    lock.write_text(request.lock)
    run([request.uv, "venv", "--quiet", "--no-project", "--python", request.python, str(request.venv)], variables)
    install = [request.uv, "pip", "install", f"--python={request.venv}/bin/python", "--require-hashes", "--compile-bytecode"]
    run([*install, f"--requirement={lock}"], variables, *([{**variables, **more}] if (more := further(pip)) else []))
    run(["sync", "-f", str(request.directory)], variables)
    with request.record.open("w") as stream:
        stream.write(request.made_from)
        stream.flush()
        os.fsync(stream.fileno())


def run(argv: list[str], *attempts: Mapping[str, str]) -> None:
    """Run a program with the first variables that it succeeds with, or end with its last error output."""
    for variables in attempts:
        done = subprocess.run(argv, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, close_fds=False, check=False)
        if done.returncode == 0:
            return
    sys.exit(f"{' '.join(argv[:3])} failed with exit code {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """pip's settings for installing, by option: [install] wins over [global], the environment over both; an empty value is none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(file.expanduser() for file in files(environment))
    except (configparser.Error, UnicodeDecodeError) as error:
        sys.exit(f"pip's settings on this machine cannot be read: {str(error).splitlines()[0]}")
    sources = [parser[section] for section in SECTIONS if parser.has_section(section)]
    variables = {name.removeprefix("PIP_"): value for name, value in environment.items() if name.startswith("PIP_")}
    return {name.lower().replace("_", "-"): value for source in (*sources, variables) for name, value in source.items() if value}


def files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """pip's files, later ones winning. One that is named takes the place of the user's; the null device, of all."""
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return ()
    return (*OF_THE_MACHINE, Path(named)) if named and Path(named).exists() else (*OF_THE_MACHINE, *OF_THE_USER)


def exists(place: str) -> bool:
    """uv refuses a local directory that is absent, where pip passes over it."""
    path = place.removeprefix("file://")
    return not path.startswith("/") or Path(path).exists()


def translate(pip: Mapping[str, str]) -> dict[str, str]:
    """uv's environment variables for pip's settings."""
    same = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST", "no-index": "UV_NO_INDEX"}
    result = {name: " ".join(pip[key].split()) for key, name in same.items() if pip.get(key)}
    if proxy := pip.get("proxy"):
        result |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
    return result


def further(pip: Mapping[str, str]) -> dict[str, str]:
    """What adds pip's further indexes. Kept apart: uv prefers them to the first index, and then takes a file of the right version
    whose hash is another's, where pip would have passed it over.
    """
    lists = {"extra-index-url": ("UV_INDEX", " "), "find-links": ("UV_FIND_LINKS", ",")}
    result = {}
    for key, (name, separator) in lists.items():
        if places := [place for place in pip.get(key, "").split() if exists(place)]:
            result[name] = separator.join(places)
    return result | {"UV_INDEX_STRATEGY": "unsafe-best-match"} if result else {}


if __name__ == "__main__":
    sys.exit(main())
