"""Carriers: processes of their own, each of which carries one operation out.

One is kept waiting, forked ahead of time, so that a request waits neither for the fork nor for a first connection to the store.
"""

import contextlib
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from appliance.config import Settings
from appliance.store.database import Database

LONGEST_ID_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """A child that waits for its operation at the other end of a pipe; without one, or when the worker dies, it just ends."""

    pid: int
    door: int

    def take(self, operation_id: int) -> int:
        """Let it carry an operation, and give its process id. One that has died meanwhile is found dead by whoever looks after it."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.door, str(operation_id).encode())
        os.close(self.door)
        return self.pid

    def dismiss(self) -> None:
        """Let it end without an operation."""
        os.close(self.door)
        os.waitpid(self.pid, 0)


def fork_carrier(carry: Callable[[int], None], *, database: Database, lock: IO[str] | None) -> Carrier:
    """Fork a child that waits for the id of an operation and then calls `carry`."""
    reading, writing = os.pipe2(os.O_CLOEXEC)

    def await_operation() -> None:
        os.close(writing)
        with database.kept_open():
            if told := os.read(reading, LONGEST_ID_BYTES):
                carry(int(told))

    pid = fork_aside(await_operation, lock=lock)
    os.close(reading)
    return Carrier(pid=pid, door=writing)


def fork_aside(act: Callable[[], object], *, lock: IO[str] | None) -> int:
    """Fork a child that acts and ends, and give its process id; it leaves the worker's session, signals and lock.

    No connection to the store may be open in this process, since the two would share it; nor may a carrier wait, whose door it would keep.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _leave_the_worker(lock)
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def _leave_the_worker(lock: IO[str] | None) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if lock is not None:
        lock.close()  # or the lock would outlive the worker
    os.setsid()


@dataclass(frozen=True, kw_only=True)
class CarrierFile:
    """What tells the next worker that an operation has a carrier, and which process that is."""

    path: Path

    def enrol(self) -> None:
        """Write this process down."""
        self.path.write_text(f"{os.getpid()} {psutil.Process().create_time()}")

    def names_one_alive(self) -> bool:
        """Whether the carrier is alive, and not only programs it had started."""
        try:
            pid, created = self.path.read_text().split()
            process = psutil.Process(int(pid))
            return process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return False

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)


def carrier_file(settings: Settings, operation_id: int) -> CarrierFile:
    """That of an operation."""
    return CarrierFile(path=settings.worker_lock.with_name(f"carrier-{operation_id}"))
