"""Evaluates the rules from the appliance's own data, so that a site without Prometheus is alerted too."""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from monitoring.clock import Clock
from monitoring.exporter.collector import ApplianceCollector, no_search_for_cycles
from monitoring.ledger import Ledger
from monitoring.monitor import Status
from monitoring.rules.lesser import Worse
from monitoring.rules.memory import RuleMemory, by_key
from monitoring.rules.rule import Rule
from monitoring.rules.series import Labels, Metric, Snapshot, View
from monitoring.rules.standing import Alert, Change, follow
from monitoring.rules.table import RULES
from monitoring.uptime import Uptime

SAMPLE_SECONDS = 300
SOURCES = ("ledger", "host", "filesystem")

log = logging.getLogger("monitoring")


@dataclass(kw_only=True)
class Evaluation:
    """Looks again and again. `every_seconds` apart; the first look is late, when certificates and targets have been read."""

    collector: ApplianceCollector
    ledger: Ledger
    memory: RuleMemory
    status: Status
    clock: Clock
    every_seconds: float = 30
    rules: Sequence[Rule] = RULES
    sampled_ms: int | None = field(default=None, init=False)

    async def run(self) -> None:
        """Until cancelled. What goes wrong is counted, said and tried again."""
        await asyncio.sleep(self.every_seconds)
        while True:
            await asyncio.sleep(self.every_seconds)
            try:
                with no_search_for_cycles():
                    await asyncio.to_thread(self.look)
            except sqlite3.Error as error:
                self.status.errors["ledger"] += 1
                log.error("The alert rules could not be evaluated (%s). Alerts stay as they are; tried again.", error)

    def look(self) -> bool:
        """Evaluate all rules once. False where a source could not be read: then nothing is known, and all alerts stay as they are."""
        if self.status.targets_problem or not self.status.targets_read:
            return False
        failed_before = self._failures()
        snapshot = Snapshot(self.collector.families())
        if self._failures() != failed_before:
            return False
        now = self.clock()
        at_ms, at = self.ledger.position_ms(now), now.wall.timestamp()
        view = View(snapshot=snapshot, past=_Past(self, at_ms), now=at)
        self._write(view, at_ms, at)
        self._sample(view, at_ms)
        return True

    def _failures(self) -> int:
        return sum(self.status.errors[source] for source in SOURCES)

    def _write(self, view: View, at_ms: int, at: float) -> None:
        before = by_key(self.memory.alerts())
        found = {rule.name: rule.holds_for(view) for rule in self.rules}
        worse = Worse(found, view.snapshot)
        alerts: list[Alert] = []
        changes: list[Change] = []
        for rule in self.rules:
            now, changed = follow(rule, before, found[rule.name], at_ms=at_ms, at=at, worse=partial(worse.than, rule.name))
            alerts += now
            changes += changed if rule.is_told else []
        for change in changes:
            log.info("%s %s %s", change.alert.rule, dict(change.alert.labels), "fires" if change.fires else "is over")
        self.memory.write(alerts, changes, at=at)

    def _sample(self, view: View, at_ms: int) -> None:
        if self.sampled_ms is not None and at_ms - self.sampled_ms < SAMPLE_SECONDS * 1000:
            return
        wanted = {(name, labels) for rule in self.rules for name, labels, _ in rule.condition.remembered(view)}
        values = {name: view.snapshot.of(Metric(name=name)) for name, _ in wanted}
        self.memory.sample({(name, labels): values[name][labels] for name, labels in wanted}, at_ms=at_ms)
        self.sampled_ms = at_ms


@dataclass(frozen=True)
class _Past:
    """What was, seen from a place on the ledger's time axis."""

    evaluation: Evaluation
    now_ms: int

    def points(self, name: str, labels: Labels, window: timedelta) -> list[tuple[float, float]]:
        found = self.evaluation.memory.samples(name, labels, since_ms=self._since_ms(window))
        return [((at_ms - self.now_ms) / 1000, value) for at_ms, value in found]

    def began(self, name: str, labels: Labels, window: timedelta) -> float | None:
        return self.evaluation.memory.first_sample(name, labels, since_ms=self._since_ms(window))

    def uptime(self, crm: str, window: timedelta) -> Uptime:
        return self.evaluation.collector.uptime(crm, window, self.now_ms)

    def _since_ms(self, window: timedelta) -> int:
        return self.now_ms - round(window.total_seconds() * 1000)
