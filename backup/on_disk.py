"""See to it that what was restored is on the disk when it is said to be: a power cut a moment later takes nothing of it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from backup.failures import BackupFailure

EVERY_SECONDS = 1.0


@contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """Have everything that the block writes on the file system of `place` be on its disk at the end.

    That is begun with meanwhile, when the processor is what is waited for. Raises a failure `not_written` where the disk refuses.
    """
    ended = Event()
    thread = Thread(target=_again_and_again, args=(place, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
    thread.join()
    if said := _write_out(place):
        raise BackupFailure(f"What was restored could not be written to the disk of {place}: {said}", code="not_written")


def _again_and_again(place: Path, ended: Event) -> None:
    while not ended.wait(EVERY_SECONDS):
        _write_out(place)


def _write_out(place: Path) -> str:
    """Write out the file system that a path is on, or would be; gives what went wrong."""
    there = next(folder for folder in (place, *place.parents) if folder.exists())
    done = subprocess.run(["sync", "--file-system", there], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""
