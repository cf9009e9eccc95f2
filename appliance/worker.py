"""The worker: the one process that carries operations out, each in a child process and a confinement of its own."""

import contextlib
import functools
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from appliance.domain.operation import Operation, OperationStatus
from appliance.hosts.confinement import Confinement, confine, end, sweep
from appliance.hosts.playbooks import end_controllers
from appliance.operations.archives import Archives
from appliance.operations.carriers import Carrier, CarrierFile, carrier_file, fork_aside, fork_carrier
from appliance.operations.engine import Engine
from appliance.operations.keeping import Keeping
from appliance.operations.publishing import Publishing
from appliance.operations.refreshing import Refreshing
from appliance.operations.renewing import Renewing
from appliance.operations.scheduling import Scheduling
from appliance.operations.telling import tell_end
from appliance.operations.tidying import hosts_at_rest, tidy_up
from appliance.operations.worker_lock import hold
from appliance.operations.workflow import Workflows
from appliance.wiring import Appliance

IDLE_SECONDS = 1.0
WATCH_SECONDS = 0.1
LEAVE_SECONDS = 3.0
ORPHAN_GRACE_SECONDS = 10
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 60.0
# Without uv's own variables: what a release is built from is decided by its lock and by pip's settings, which the role reads.
KEPT_ENVIRONMENT = ("PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR")
KEPT_PREFIXES = (
    "LC_",
    "APPLIANCE_",
    "PIP_",
    "SSL_CERT_",
    "REQUESTS_CA_",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True)
class Carried:
    """An operation that runs: its confinement, its carrier where that is our child, and since when it has been without one."""

    confinement: Confinement
    carrier: int | None = None
    orphaned_at: float | None = None
    attempts: int = 0
    not_before: float = 0.0


@dataclass(kw_only=True)
class Worker:
    """Claims operations and watches over those that run.

    A carrier outlives its worker on purpose: restarting the worker never interrupts an operation. Whoever finds an operation
    running with nobody inside its confinement carries it on; while somebody is inside, it waits.
    """

    appliance: Appliance
    workflows: Workflows
    now: Callable[[], datetime] = _now
    tell: Callable[[Appliance, Operation, OperationStatus, datetime], None] = tell_end
    carried: dict[int, Carried] = field(default_factory=dict)
    keeping: Keeping = field(default_factory=Keeping)
    renewing: Renewing = field(default_factory=Renewing)
    archives: Archives = field(default_factory=Archives)
    refreshing: Refreshing = field(default_factory=Refreshing)
    scheduling: Scheduling = field(default_factory=Scheduling)
    publishing: Publishing = field(default_factory=Publishing)
    waiting: Carrier | None = None
    looking: int | None = None
    stopping: bool = False
    lock: IO[str] | None = None

    def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises Conflict when another worker holds the lock."""
        settings = self.appliance.settings
        _scrub_environment()
        with (
            hold(settings.worker_lock) as self.lock,
            _wake_socket(settings.worker_socket) as wake,
            _signals(self._stop) as signals,
        ):
            self._adopt()
            self._look_aside()
            while not self.stopping:
                self._waiting_carrier()  # anew only after the pause: the one that has just been sent off needs the processor
                self._watch()
                self.refreshing.look(self.appliance, self.now(), idle=not self.carried)  # before what its hosts would not understand
                self.scheduling.look(self.appliance, self.now())
                self._claim()
                self.keeping.clear(self.appliance, self.now(), idle=not self.carried)
                self.renewing.look(self.appliance, self.now(), idle=not self.carried)
                self.publishing.look(self.appliance)
                self.archives.look(self.appliance, self.now(), idle=not self.carried)
                _wait(wake, signals, WATCH_SECONDS if self.carried else IDLE_SECONDS)
            self._take_leave()

    def _stop(self) -> None:
        self.stopping = True

    def _take_leave(self) -> None:
        """Clear up after operations that have just ended; those that run go on without a worker."""
        if self.waiting is not None:
            self.waiting.dismiss()
            self.waiting = None
        deadline = time.monotonic() + LEAVE_SECONDS
        while any(self._has_finished(operation_id) for operation_id in self.carried) and time.monotonic() < deadline:
            self._watch()
            time.sleep(WATCH_SECONDS)

    def _has_finished(self, operation_id: int) -> bool:
        return self.appliance.store.operations.get(operation_id).status != OperationStatus.RUNNING

    def _adopt(self) -> None:
        sweep(self.appliance.settings.home)
        for operation in self.appliance.store.operations.list(status=[OperationStatus.RUNNING], limit=1000):
            self.carried[operation.id] = Carried(confinement=confine(self.appliance.settings.home, operation.id))

    def _look_aside(self) -> None:
        """Let a child look for what is left behind, since a host may take its time to answer; before there is a carrier that waits."""
        if hosts := hosts_at_rest(self.appliance):
            look = functools.partial(tidy_up, self.appliance, hosts, self.now(), workflows=self.workflows)
            self.looking = fork_aside(look, lock=self.lock)

    def _claim(self) -> None:
        while len(self.carried) < self.appliance.settings.parallel_operations:
            operation = self.appliance.store.operations.claim(now=self.now())
            if operation is None:
                return
            self.carried[operation.id] = Carried(confinement=confine(self.appliance.settings.home, operation.id))
            self._carry(operation.id)

    def _watch(self) -> None:
        if self.looking is not None and _has_ended(self.looking):
            self.looking = None
        for operation_id, carried in list(self.carried.items()):
            if carried.carrier is not None and _has_ended(carried.carrier):
                carried.carrier = None
            if carried.carrier is not None or self._carrier_file(operation_id).names_one_alive():
                continue
            if carried.confinement.members():
                self._await_orphans(operation_id, carried)
            else:
                self._settle(operation_id, carried)

    def _settle(self, operation_id: int, carried: Carried) -> None:
        carried.orphaned_at = None
        operation = self.appliance.store.operations.get(operation_id)
        if operation.status != OperationStatus.RUNNING:
            carried.confinement.leave_nothing()
            self._carrier_file(operation_id).remove()
            del self.carried[operation_id]
        elif time.monotonic() >= carried.not_before:
            self._carry(operation_id)

    def _await_orphans(self, operation_id: int, carried: Carried) -> None:
        """What a dead carrier left begins nothing new, may end what it has begun, and is ended when patience is over."""
        if self.appliance.store.operations.get(operation_id).status != OperationStatus.RUNNING:
            end(carried.confinement, grace_seconds=ORPHAN_GRACE_SECONDS)
            return
        end_controllers(carried.confinement.members())
        carried.orphaned_at = carried.orphaned_at or time.monotonic()
        if time.monotonic() - carried.orphaned_at > self.appliance.settings.orphan_patience_seconds:
            end(carried.confinement, grace_seconds=ORPHAN_GRACE_SECONDS)

    def _carrier_file(self, operation_id: int) -> CarrierFile:
        return carrier_file(self.appliance.settings, operation_id)

    def _carry(self, operation_id: int) -> None:
        carried = self.carried[operation_id]
        carried.not_before = time.monotonic() + min(LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS * 2**carried.attempts)
        carried.attempts += 1
        carried.carrier = self._waiting_carrier().take(operation_id)
        self.waiting = None

    def _waiting_carrier(self) -> Carrier:
        """The one that will carry the next operation."""
        if self.waiting is None:
            carry = functools.partial(self._be_carrier, os.getpid())
            self.waiting = fork_carrier(carry, database=self.appliance.store.database, lock=self.lock)
        return self.waiting

    def _be_carrier(self, worker: int, operation_id: int) -> None:
        """Be known as the carrier before anything is done; if the worker has died before that, its successor knows nothing of us."""
        self._carrier_file(operation_id).enrol()
        if os.getppid() != worker:
            return
        confinement = confine(self.appliance.settings.home, operation_id)
        engine = Engine(appliance=self.appliance, workflows=self.workflows, confinement=confinement, now=self.now, tell=self.tell)
        engine.carry(self.appliance.store.operations.get(operation_id))


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _scrub_environment() -> None:
    """What the worker was started with reaches every playbook; nothing but this may."""
    for name in list(os.environ):
        if name not in KEPT_ENVIRONMENT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]


@contextlib.contextmanager
def _wake_socket(file: Path) -> Iterator[socket.socket]:
    file.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wake:
        wake.bind(str(file))
        file.chmod(0o600)
        wake.setblocking(False)
        yield wake


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[int]:
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    yield reading
    signal.set_wakeup_fd(-1)


def _wait(wake: socket.socket, signals: int, seconds: float) -> None:
    descriptors = [wake.fileno(), signals]
    ready, _, _ = select.select(descriptors, [], [], seconds)
    for descriptor in ready:
        with contextlib.suppress(BlockingIOError):
            while os.read(descriptor, 64):
                pass
