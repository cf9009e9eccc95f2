"""All metrics together."""

import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version

import psutil
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.clock import Clock
from monitoring.exporter.events import collect_events
from monitoring.exporter.host import collect_filesystems, collect_host
from monitoring.exporter.probes import collect_probes
from monitoring.ledger import Ledger
from monitoring.monitor import Status


class ApplianceCollector(Collector):
    """Reads everything anew at each scrape."""

    def __init__(self, ledger: Ledger, status: Status, clock: Clock) -> None:
        """The ledger is a connection of this collector's own, so that a scrape never waits for a write."""
        self._ledger = ledger
        self._status = status
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is depends on the targets."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """A source that fails leaves its metrics out and is counted; the others are still told."""
        targets = self._status.targets
        yield _build_info()
        yield from self._guarded("ledger", lambda: collect_probes(self._ledger, targets, self._clock()))
        yield from self._guarded("ledger", lambda: collect_events(self._ledger, targets))
        yield from self._guarded("host", collect_host)
        yield from self._guarded("filesystem", collect_filesystems)
        yield from self._guarded("ledger", self._heartbeat)
        yield self._errors()

    def _guarded(self, name: str, collect: Callable[[], Iterable[Metric]]) -> list[Metric]:
        try:
            return list(collect())
        except (sqlite3.Error, OSError, psutil.Error):
            self._status.errors[name] += 1
            return []

    def _heartbeat(self) -> Iterator[Metric]:
        text = "When the monitor last wrote down what it saw."
        family = GaugeMetricFamily("appliance_heartbeat_timestamp_seconds", text, labels=["collector"])
        last = self._ledger.heartbeat()
        family.add_metric(["probes"], last.at.wall.timestamp() if last else 0)
        yield family

    def _errors(self) -> Metric:
        family = CounterMetricFamily("appliance_collect_errors", "What the monitor could not read or write.", labels=["collector"])
        for name in ("ledger", "targets", "probe", "host", "filesystem"):
            family.add_metric([name], self._status.errors[name])
        return family


def _build_info() -> Metric:
    try:
        release = version("crm-appliance")
    except PackageNotFoundError:
        release = "unknown"
    family = GaugeMetricFamily("appliance_build_info", "The version of the appliance.", labels=["version", "python"])
    family.add_metric([release, sys.version.split()[0]], 1)
    return family
