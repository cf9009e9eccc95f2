"""The monitor: follows the targets file, keeps a watch per CRM, and writes what they see into the ledger."""

import asyncio
import logging
import sqlite3
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from monitoring.certificates import Place, watch_certificates
from monitoring.checks import Check
from monitoring.clock import Clock
from monitoring.ledger import SERVICE, Ledger, Observation
from monitoring.mending import is_damage
from monitoring.once import explain
from monitoring.targets import Target, read_targets
from monitoring.watch import Watch

BEAT_SECONDS = 1.0
PENDING_LIMIT = 200_000
PROGRAMS_AT_ONCE = 100

log = logging.getLogger("monitoring")


@dataclass
class Status:
    """What the exporter may know of the running monitor. `targets` is replaced as a whole, never changed.

    `certificate_ends` is by CRM until when the certificate that it shows is valid, as Unix time; `host_answers` is by managed host whether
    it answered when it was asked last.
    """

    targets: tuple[Target, ...] = ()
    targets_problem: str = ""
    targets_read: bool = False
    errors: Counter[str] = field(default_factory=Counter)
    certificate_ends: dict[str, float] = field(default_factory=dict)
    host_answers: dict[str, bool] = field(default_factory=dict)


class Monitor:
    """Runs in one event loop. Nothing here is written from another thread."""

    def __init__(self, *, targets_file: Path, ledger: Ledger, clock: Clock) -> None:
        """Reads and writes nothing yet."""
        self.status = Status()
        self._targets_file = targets_file
        self._ledger = ledger
        self._clock = clock
        self._file_stamp: tuple[int, int, int] | None = (0, 0, 0)
        self._watches: dict[str, tuple[Target, asyncio.Task[None]]] = {}
        self._unsettled: set[tuple[str, str]] | None = None
        self._slots = asyncio.Semaphore(PROGRAMS_AT_ONCE)
        self._observations: list[Observation] = []
        self._checks: list[Check] = []

    def add(self, observations: Sequence[Observation], checks: Sequence[Check]) -> None:
        """Takes what a watch saw; the next heartbeat writes it."""
        self._observations.extend(observations)
        self._checks.extend(checks)

    def see_host(self, host: str, *, answers: bool) -> None:
        """Takes whether a host that was asked has answered."""
        self.status.host_answers[host] = answers

    async def run(self, stop: asyncio.Event) -> None:
        """Watches until `stop` is set; then ends its probes and writes what is left."""
        certificates = asyncio.create_task(watch_certificates(self._shown_certificates, self.status.certificate_ends))
        while not stop.is_set():
            self.follow_targets()
            await self.beat()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
        await self._end([certificates, *(task for _, task in self._watches.values())])
        await self.beat()

    def _shown_certificates(self) -> list[tuple[str, Place]]:
        return [(target.crm, target.certificate) for target in self.status.targets if target.certificate is not None]

    async def beat(self) -> None:
        """Writes the heartbeat and everything seen since the last. What cannot be written is kept and tried again.

        A damaged file ends the monitor: the next one mends it. Raises sqlite3.DatabaseError.
        """
        observations, checks = self._observations, self._checks
        self._observations, self._checks = [], []
        try:
            await asyncio.to_thread(self._ledger.record, observations, checks, self._clock())
            await self._settle()
        except sqlite3.Error as error:
            if is_damage(error):
                raise
            self.status.errors["ledger"] += 1
            log.error("The ledger cannot be written (%s). What was seen is kept in memory and tried again.", error)
            self._observations = (observations + self._observations)[-PENDING_LIMIT:]
            self._checks = (checks + self._checks)[-PENDING_LIMIT:]

    async def _settle(self) -> None:
        """Closes what is watched no longer, after the last that was seen of it has been written."""
        if self._unsettled is not None:
            watched, self._unsettled = self._unsettled, None
            await asyncio.to_thread(self._ledger.close_all_but, watched)

    def follow_targets(self) -> None:
        """Reads the targets file if it changed. A file that is missing or broken changes nothing, and is said once."""
        stamp = self._read_stamp()
        if stamp == self._file_stamp:
            return
        self._file_stamp = stamp
        try:
            targets = read_targets(self._targets_file).targets
        except (OSError, ValidationError) as error:
            problem = explain(error) if isinstance(error, ValidationError) else str(error.strerror)
            self._refuse_targets(problem)
            return
        self.status.targets_problem = ""
        self._watch_all(targets)

    def _read_stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._targets_file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _refuse_targets(self, problem: str) -> None:
        self.status.errors["targets"] += 1
        self.status.targets_problem = problem
        log.error("%s cannot be used: %s. The %d CRMs known before are watched on.", self._targets_file, problem, len(self._watches))

    def _watch_all(self, targets: tuple[Target, ...]) -> None:
        wanted = {target.crm: target for target in targets}
        for crm in [crm for crm, (target, _) in self._watches.items() if wanted.get(crm) != target]:
            self._watches.pop(crm)[1].cancel()
        new = [target for target in targets if target.crm not in self._watches]
        for number, target in enumerate(new):
            self._watches[target.crm] = (target, asyncio.create_task(self._watch(target, number=number, of=len(new))))
        self.status.targets, self.status.targets_read = targets, True
        self._unsettled = {(target.crm, name) for target in targets for name in (*target.probes, SERVICE)}
        log.info("Watching %s.", ", ".join(wanted) or "no CRM yet")

    async def _watch(self, target: Target, *, number: int, of: int) -> None:
        """Keeps a watch going. An error in a probe's own code must not end the watch unseen: it is counted, and the time is unknown."""
        while True:
            try:
                await Watch(target=target, clock=self._clock, sink=self, slots=self._slots).run(number=number, of=of)
            except Exception as error:  # noqa: BLE001 - the monitor's loop
                self.status.errors["probe"] += 1
                where = "".join(traceback.format_tb(error.__traceback__))
                log.error("A probe of %s failed in itself (%s); it is tried again.\n%s", target.crm, type(error).__name__, where)
            await asyncio.sleep(target.interval_seconds)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
