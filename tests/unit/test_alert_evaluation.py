"""Alerts of the appliance itself: from what the ledger holds to what stands, kept over restarts."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.checks import Check
from monitoring.clock import Moment
from monitoring.exporter.collector import ApplianceCollector
from monitoring.ledger import SERVICE, Ledger, Observation, State
from monitoring.monitor import Status
from monitoring.rules.burning import LatencyBurns
from monitoring.rules.evaluation import SAMPLE_SECONDS, Evaluation
from monitoring.rules.memory import EACH_KEPT_MS, HOUR_MS, SERIES_KEPT_MS, RuleMemory
from monitoring.rules.series import Snapshot, View
from monitoring.rules.standing import Stand
from monitoring.rules.table import APPLIANCE, OUTAGES, RECOVERY, RULES
from monitoring.targets import Target

START = Moment(wall=datetime(2026, 11, 21, 12, tzinfo=UTC), boot_seconds=1000, boot_id="first")
TARGET = Target.model_validate(
    {"crm": "demo", "product": "sample", "release": "1", "probes": {"live": {"kind": "http", "url": "http://127.0.0.1/"}}}
)

READY = Target.model_validate(TARGET.model_dump() | {"probes": {"ready": {"kind": "http", "url": "http://127.0.0.1/"}}})


@dataclass
class World:
    """A monitor's files and a clock that is set by hand."""

    file: Path
    now: Moment = START
    status: Status = field(default_factory=lambda: Status(targets=(TARGET,), targets_read=True))

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.ledger, self.memory = Ledger(self.file), RuleMemory(self.file)
        collector = ApplianceCollector(self.ledger, self.status, lambda: self.now)
        self.evaluation = Evaluation(
            collector=collector,
            ledger=self.ledger,
            memory=self.memory,
            status=self.status,
            clock=lambda: self.now,
            rules=(*OUTAGES, *RECOVERY, *APPLIANCE),
        )

    def close(self) -> None:
        self.ledger.close()
        self.memory.close()

    def spend(self, seconds: float, state: State | None = State.UP, *, answered_seconds: float | None = None) -> None:
        """Let time pass, seen each quarter of a minute, and evaluate each half. A page that is asked for takes as long as is said."""
        checks = [] if answered_seconds is None else [Check(crm="demo", target="ready", healthy=True, duration_seconds=answered_seconds)]
        for step in range(round(seconds / 15)):
            self.now = replace(self.now, wall=self.now.wall + timedelta(seconds=15), boot_seconds=self.now.boot_seconds + 15)
            seen = [] if state is None else [self.observe(state)]
            self.ledger.record(seen, checks, self.now)
            if step % 2:
                assert self.evaluation.look()

    def observe(self, state: State) -> Observation:
        return Observation(
            crm="demo", target=SERVICE, state=state, at=self.now, cause="live", believed_seconds=40, believed_after_start_seconds=40
        )

    def firing(self) -> set[str]:
        return {alert.rule for alert in self.memory.alerts() if alert.stand is Stand.FIRING} - {"Watchdog"}

    def changes(self) -> list[tuple[str, bool]]:
        return [(change.alert.rule, change.fires) for change in self.memory.changes(after=0)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "ledger.sqlite")
    back_up(made)
    yield made
    made.close()


def back_up(world: World) -> None:
    for kind in ("backup", "drill"):
        world.ledger.record_event(kind=kind, crm="demo", result="success", at=world.now.wall, duration_seconds=1)


def test_a_crm_that_is_down_fires_after_two_minutes_and_is_over_when_it_is_back(world: World) -> None:
    world.spend(600)
    assert world.changes() == []
    world.spend(90, State.DOWN)
    assert "CrmDown" not in world.firing()
    world.spend(90, State.DOWN)
    assert "CrmDown" in world.firing()
    world.spend(60)
    assert [change for change in world.changes() if change[0] == "CrmDown"] == [("CrmDown", True), ("CrmDown", False)]


def test_maintenance_ends_what_is_said_of_visitors_and_not_what_is_said_of_backups(world: World) -> None:
    world.spend(3600)
    world.ledger.record_event(kind="backup", crm="demo", result="failed", at=world.now.wall, duration_seconds=1)
    world.spend(300, State.DOWN)
    assert world.firing() == {"CrmDown", "AvailabilityBurnsFast", "BackupFailed"}
    world.spend(300, State.MAINTENANCE)
    assert world.firing() == {"BackupFailed"}


def test_a_restart_of_the_monitor_neither_forgets_nor_repeats_an_alert(world: World) -> None:
    world.spend(600)
    world.spend(60, State.DOWN)
    since = {alert.rule: alert.since_ms for alert in world.memory.alerts()}
    world.close()
    world.open()
    world.spend(90, State.DOWN)
    assert {alert.rule: alert.since_ms for alert in world.memory.alerts()}["CrmDown"] == since["CrmDown"]
    world.close()
    world.open()
    world.spend(60, State.DOWN)
    assert world.changes().count(("CrmDown", True)) == 1


def test_while_a_source_cannot_be_read_alerts_stay_as_they_are(world: World) -> None:
    world.spend(600)
    world.spend(180, State.DOWN)
    before = world.memory.alerts()
    world.ledger.close()
    assert world.evaluation.look() is False
    world.status.targets_read = False
    assert world.evaluation.look() is False
    assert world.memory.alerts() == before


def test_a_clock_that_is_set_neither_hastens_nor_delays_an_alert(world: World) -> None:
    world.spend(600)
    world.spend(60, State.DOWN)
    world.now = replace(world.now, wall=world.now.wall + timedelta(days=1))
    world.spend(30, State.DOWN)
    assert "CrmDown" not in world.firing()
    world.spend(60, State.DOWN)
    assert {"CrmDown", "ClockStepped"} <= world.firing()


def test_a_counter_that_grew_is_over_after_its_window_also_across_a_restart(world: World) -> None:
    world.spend(600)
    world.now = replace(world.now, wall=world.now.wall + timedelta(seconds=30))
    world.spend(60)
    assert world.firing() == {"ClockStepped"}
    world.close()
    world.open()
    world.spend(30 * 60)
    assert world.firing() == {"ClockStepped"}
    world.spend(30 * 60 + SAMPLE_SECONDS)
    assert world.firing() == set()


def test_a_gap_of_the_monitor_is_not_the_crms_downtime(world: World) -> None:
    world.spend(7200)
    world.spend(2400, None)
    world.spend(1200)
    assert world.firing() == {"MonitorGap"}


def test_slow_answers_burn_the_budget_also_across_a_restart_of_the_monitor(world: World) -> None:
    world.status.targets = (READY,)
    world.spend(3600, answered_seconds=0.1)
    world.spend(2400, answered_seconds=9)
    assert "LatencyBurnsFast" not in world.firing()
    world.close()
    world.open()
    world.spend(600, answered_seconds=9)
    assert world.firing() == {"LatencyBurnsFast"}
    world.spend(900, answered_seconds=0.1)
    assert "LatencyBurnsFast" not in world.firing()


def test_samples_are_kept_as_long_as_any_rule_asks(world: World) -> None:
    view = View(snapshot=Snapshot(world.evaluation.collector.families()), past=None, now=0)  # type: ignore[arg-type]
    windows = [(rule.condition, window) for rule in RULES for _, _, window in rule.condition.remembered(view)]
    assert max(window for _, window in windows) <= timedelta(milliseconds=SERIES_KEPT_MS)
    of_each = [window for condition, window in windows if not isinstance(condition, LatencyBurns)]
    assert max(of_each) <= timedelta(milliseconds=EACH_KEPT_MS)


KEY = ("appliance_sample_total", (("crm", "demo"),))


def test_samples_are_written_when_they_differ_and_forgotten_when_nobody_asks(world: World) -> None:
    for hour, value in enumerate((0, 0, 5, 5, 7)):
        world.memory.sample({KEY: value}, at_ms=hour * HOUR_MS)
    assert world.memory.samples(*KEY, since_ms=HOUR_MS) == [(HOUR_MS, 0), (2 * HOUR_MS, 5), (4 * HOUR_MS, 7)]
    world.memory.sample({KEY: 9}, at_ms=SERIES_KEPT_MS + 3 * HOUR_MS)
    assert world.memory.samples(*KEY, since_ms=0) == [(2 * HOUR_MS, 5), (4 * HOUR_MS, 7), (SERIES_KEPT_MS + 3 * HOUR_MS, 9)]


def test_of_samples_that_are_no_longer_asked_for_one_by_one_the_last_of_each_hour_stays(world: World) -> None:
    for minute in range(0, 600, 5):
        world.memory.sample({KEY: float(minute)}, at_ms=minute * 60_000)
    kept = [value for _, value in world.memory.samples(*KEY, since_ms=0)]
    assert kept == [55.0, 115.0, 175.0, *map(float, range(235, 600, 5))]
    assert [world.memory.first_sample(*KEY, since_ms=minute * 60_000) for minute in (-60, 60, 119, 120, 300)] == [55, 55, 115, 115, 300]
    assert world.memory.first_sample("appliance_other_total", (), since_ms=0) is None
