"""All metrics together."""

import gc
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from threading import RLock

import psutil
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from monitoring.clock import Clock
from monitoring.exporter.certificates import collect_certificates
from monitoring.exporter.events import History
from monitoring.exporter.facts import collect_facts
from monitoring.exporter.families import Family, TextWriter, counter, gauge
from monitoring.exporter.host import collect_filesystems, collect_host, collect_managed
from monitoring.exporter.probes import Seen
from monitoring.exporter.promises import collect_promises
from monitoring.facts import LOG_SHIPPED
from monitoring.ledger import Ledger
from monitoring.monitor import Status
from monitoring.targets import Target
from monitoring.uptime import Uptime


class ApplianceCollector(Collector):
    """Reads at each scrape what may have changed. Scrapes at the same time wait for each other."""

    def __init__(self, ledger: Ledger, status: Status, clock: Clock) -> None:
        """The ledger is a connection of this collector's own, so that a scrape never waits for a write."""
        self._ledger = ledger
        self._status = status
        self._clock = clock
        self._seen = Seen(ledger)
        self._history = History(ledger)
        self._writer = TextWriter()
        self._lock = RLock()

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the targets."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """For Prometheus's own library."""
        with self._lock:
            yield from [family.as_metric() for family in self._families()]

    def write(self) -> bytes:
        """The same as text, faster."""
        with self._lock, no_search_for_cycles():
            return self._writer.write(self._families())

    def families(self) -> list[Family]:
        """The same for the appliance's own rules."""
        with self._lock:
            return list(self._families())

    def uptime(self, crm: str, window: timedelta, until_ms: int) -> Uptime:
        """How a CRM spent the window that ends at a place on the ledger's time axis, by what was collected last."""
        with self._lock:
            return self._seen.uptime(crm, window, until_ms)

    def _families(self) -> Iterator[Family]:
        """A source that fails leaves its metrics out and is counted; the others are still told."""
        targets = self._status.targets
        yield _build_info()
        yield from self._guarded("ledger", lambda: self._seen.collect(targets, self._clock()))
        yield from self._guarded("ledger", lambda: self._told(targets))
        yield from collect_promises(targets)
        yield collect_certificates(self._status.certificate_ends)
        yield collect_managed(targets, self._status.host_answers)
        yield from self._guarded("host", collect_host)
        yield from self._guarded("filesystem", collect_filesystems)
        yield from self._guarded("ledger", self._heartbeat)
        yield self._errors()

    def _told(self, targets: tuple[Target, ...]) -> Iterator[Family]:
        facts = self._ledger.facts()
        yield from self._history.collect(targets, facts.get(LOG_SHIPPED, {}))
        yield from collect_facts(facts, {target.crm for target in targets})

    def _guarded(self, name: str, collect: Callable[[], Iterable[Family]]) -> list[Family]:
        try:
            return list(collect())
        except (sqlite3.Error, OSError, psutil.Error):
            self._status.errors[name] += 1
            return []

    def _heartbeat(self) -> Iterator[Family]:
        text = "When the monitor last wrote down what it saw."
        family = gauge("appliance_heartbeat_timestamp_seconds", text, ("collector",))
        last = self._ledger.heartbeat()
        family.add(("probes",), last.at.wall.timestamp() if last else 0)
        yield family

    def _errors(self) -> Family:
        family = counter("appliance_collect_errors", "What the monitor could not read or write.", ("collector",))
        for name in ("ledger", "targets", "probe", "host", "filesystem"):
            family.add((name,), self._status.errors[name])
        return family


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """A scrape makes a hundred thousand things and no cycle among them; to search them for cycles would take a fifth of its time."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def _build_info() -> Family:
    try:
        release = version("crm-appliance")
    except PackageNotFoundError:
        release = "unknown"
    family = gauge("appliance_build_info", "The version of the appliance.", ("version", "python"))
    family.add((release, sys.version.split()[0]), 1)
    return family
