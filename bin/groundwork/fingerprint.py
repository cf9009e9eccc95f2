"""What was installed last time: a digest of everything that an installation is made from."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

MADE_ANEW = frozenset({"__pycache__", "node_modules", "assets"})


def of_files(paths: Iterable[Path], *, also: Iterable[str] = ()) -> str:
    """Return a digest of the files at and under `paths` (absent ones count as absent) and of the words in `also`."""
    digest = hashlib.sha256()
    for word in also:
        digest.update(f"{word}\0".encode())
    for path in paths:
        for file in _files(path):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(path.parent)}\0{content}\0".encode())
    return digest.hexdigest()


def is_recorded(record: Path, fingerprint: str) -> bool:
    """Whether `record` holds exactly this digest."""
    return record.is_file() and record.read_text() == fingerprint


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir() and path.name not in MADE_ANEW:
        for child in sorted(path.iterdir()):
            yield from _files(child)
