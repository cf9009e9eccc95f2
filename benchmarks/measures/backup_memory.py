"""The most memory that a backup of 100,000 small files takes, beside restic alone."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil

from benchmarks.cluster import quietly
from benchmarks.figure import Measure, MeasureFailed, Say, Taken
from benchmarks.keeping import CRM, KEY, fill_files

FILES, FILE_BYTES = 100_000, 1000
LOOK_SECONDS = 0.02
MIB = 1024**2


def take(rounds: int, say: Say) -> Taken:
    """Both in turn, into new repositories."""
    ours, bare = [], []
    with TemporaryDirectory(prefix="benchmark-memory-", dir="/var/tmp") as name:
        place = Path(name)
        (place / "password").write_text(KEY)
        fill_files(place / "files", FILES, FILE_BYTES)
        for number in range(rounds):
            ours.append(_ours(place, f"ours-{number}"))
            bare.append(_bare(place, f"bare-{number}"))
            say(f"ours {ours[-1]:.0f} MiB, bare {bare[-1]:.0f} MiB")
    note = (
        f"Medians of {rounds} backups of {FILES:,} files of {FILE_BYTES} bytes into a new repository: the most memory that all processes "
        f"of it held together, looked at each {LOOK_SECONDS * 1000:.0f} ms. The reference is restic backup alone."
    )
    return Taken(ours=median(ours), reference=median(bare), note=note)


def _ours(place: Path, repository: str) -> float:
    spec = {"location": str(place / repository), "password_file": str(place / "password")}
    _most(["init"], {"repository": spec})
    return _most(["backup"], {"repository": spec, "crm": CRM, "point": "p1", "database": None, "paths": [str(place / "files")]})


def _bare(place: Path, repository: str) -> float:
    restic = ["restic", "--no-cache", "--repo", str(place / repository), "--password-file", str(place / "password")]
    quietly([*restic, "init"])
    return _watched([*restic, "--json", "backup", str(place / "files")], b"")


def _most(words: Sequence[str], spec: object) -> float:
    return _watched([sys.executable, "-m", "backup", *words], json.dumps(spec).encode())


def _watched(argv: Sequence[str], told: bytes) -> float:
    """The most memory in MiB that a program and its children held. Raises MeasureFailed if it does not succeed."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None  # noqa: S101 - asked for as a pipe
        process.stdin.write(told)
        process.stdin.close()
        most = 0
        while process.poll() is None:
            most = max(most, _held_bytes(process.pid))
            time.sleep(LOOK_SECONDS)
    if process.returncode:
        raise MeasureFailed(f"{argv[0]} ended with {process.returncode}.")
    return most / MIB


def _held_bytes(pid: int) -> int:
    held = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                held += process.memory_info().rss
    return held


MEASURE = Measure(
    name="backup_memory",
    title="memory of a backup of 100,000 small files, against restic alone",
    unit="MiB",
    goal=1.5,
    rounds=3,
    take=take,
)
