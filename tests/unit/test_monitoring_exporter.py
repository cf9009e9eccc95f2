"""What Prometheus is told."""

import math
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from appliance.operations.workflows import WORKFLOWS
from monitoring.checks import Check
from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.events import OPERATION_KINDS
from monitoring.ledger import SERVICE, Ledger, Observation, State
from monitoring.monitor import Status
from monitoring.targets import Target

CLOCK = open_clock()
ENDED = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROBE = {"kind": "http", "url": "http://127.0.0.1/"}
TARGET = Target.model_validate({"crm": "demo", "product": "sample", "release": "2.7.13", "probes": {"live": PROBE, "deep": PROBE}})
BACKUP = {"crm": "demo", "kind": "logical", "repository": "local"}
COUNTERS = (
    ("appliance_probe_state_seconds_total", {"crm": "demo", "target": "service", "state": "down"}),
    ("appliance_probe_checks_total", {"crm": "demo", "target": "deep", "result": "unhealthy"}),
    ("appliance_probe_duration_seconds_count", {"crm": "demo", "target": "live"}),
    ("appliance_outages_total", {"crm": "demo", "cause": "live"}),
    ("appliance_clock_steps_total", {"direction": "backward"}),
    ("appliance_backup_last_success_timestamp_seconds", BACKUP),
    ("appliance_backup_runs_total", BACKUP | {"result": "failed"}),
    ("appliance_backup_duration_seconds_count", {"crm": "demo", "kind": "logical"}),
    ("appliance_backup_processed_bytes", BACKUP),
    ("appliance_backup_added_bytes", BACKUP),
    ("appliance_recovery_point_timestamp_seconds", {"crm": "demo", "repository": "local"}),
    ("appliance_restore_drill_last_success_timestamp_seconds", {"crm": "demo", "kind": "full"}),
    ("appliance_restore_drill_duration_seconds", {"crm": "demo", "kind": "full"}),
    ("appliance_restore_drills_total", {"crm": "demo", "kind": "full", "result": "failed"}),
    ("appliance_operation_runs_total", {"kind": "upgrade", "result": "rolled_back"}),
    ("appliance_operation_duration_seconds_count", {"kind": "install"}),
    ("appliance_collect_errors_total", {"collector": "ledger"}),
    ("appliance_heartbeat_timestamp_seconds", {"collector": "probes"}),
    ("appliance_probe_up", {"crm": "demo", "target": "live"}),
    ("appliance_probe_last_timestamp_seconds", {"crm": "demo", "target": "live"}),
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(":memory:") as opened:
        yield opened


@pytest.fixture
def registry(ledger: Ledger) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(ApplianceCollector(ledger, Status(targets=(TARGET,)), CLOCK))
    return made


def record_backup(ledger: Ledger, result: str, hours: float, **values: float) -> None:
    at = ENDED + timedelta(hours=hours)
    ledger.record_event(kind="backup", crm="demo", result=result, at=at, duration_seconds=40, values=values)


@pytest.mark.parametrize(("name", "labels"), COUNTERS)
def test_every_series_exists_from_the_start(registry: CollectorRegistry, name: str, labels: dict[str, str]) -> None:
    assert registry.get_sample_value(name, labels) == 0


def test_coverage_is_not_a_number_before_there_is_anything_to_see(registry: CollectorRegistry) -> None:
    assert math.isnan(registry.get_sample_value("appliance_monitor_coverage_ratio", {"window": "1d"}) or 0)


def test_a_failed_backup_does_not_overwrite_the_last_success(ledger: Ledger, registry: CollectorRegistry) -> None:
    record_backup(ledger, "succeeded", 0, bytes_processed=100, bytes_added=7)
    record_backup(ledger, "failed", 5)
    assert registry.get_sample_value("appliance_backup_last_success_timestamp_seconds", BACKUP) == ENDED.timestamp()
    assert registry.get_sample_value("appliance_backup_last_attempt_timestamp_seconds", BACKUP) == ENDED.timestamp() + 5 * 3600
    assert registry.get_sample_value("appliance_backup_processed_bytes", BACKUP) == 100
    assert registry.get_sample_value("appliance_backup_added_bytes", BACKUP) == 7
    assert registry.get_sample_value("appliance_backup_runs_total", BACKUP | {"result": "success"}) == 1
    assert registry.get_sample_value("appliance_backup_runs_total", BACKUP | {"result": "failed"}) == 1
    assert registry.get_sample_value("appliance_operation_runs_total", {"kind": "backup", "result": "failed"}) == 1


def test_the_recovery_point_is_when_the_backup_began(ledger: Ledger, registry: CollectorRegistry) -> None:
    record_backup(ledger, "success", 0)
    labels = {"crm": "demo", "repository": "local"}
    assert registry.get_sample_value("appliance_recovery_point_timestamp_seconds", labels) == ENDED.timestamp() - 40


def test_a_backup_that_ends_after_a_newer_one_does_not_hide_it(ledger: Ledger, registry: CollectorRegistry) -> None:
    record_backup(ledger, "success", 5)
    record_backup(ledger, "success", 0)
    assert registry.get_sample_value("appliance_backup_last_success_timestamp_seconds", BACKUP) == ENDED.timestamp() + 5 * 3600


def test_durations_fall_into_the_buckets_that_hold_them(ledger: Ledger, registry: CollectorRegistry) -> None:
    record_backup(ledger, "success", 0)
    buckets = {
        bound: registry.get_sample_value("appliance_backup_duration_seconds_bucket", {"crm": "demo", "kind": "logical", "le": bound})
        for bound in ("30.0", "60.0", "+Inf")
    }
    assert buckets == {"30.0": 0, "60.0": 1, "+Inf": 1}


def test_a_drill_tells_the_measured_recovery_time(ledger: Ledger, registry: CollectorRegistry) -> None:
    ledger.record_event(kind="drill", crm="demo", result="success", at=ENDED, duration_seconds=33)
    assert registry.get_sample_value("appliance_restore_drill_duration_seconds", {"crm": "demo", "kind": "full"}) == 33


def test_what_was_seen_is_told(ledger: Ledger, registry: CollectorRegistry) -> None:
    now = CLOCK()
    facts = {"crm": "demo", "at": now, "believed_seconds": 9, "believed_after_start_seconds": 9}
    down = [Observation(target=name, state=State.DOWN, cause="live", **facts) for name in ("live", SERVICE)]  # type: ignore[arg-type]
    ledger.record(down, [Check(crm="demo", target="live", healthy=False, duration_seconds=0.3)], now)
    assert registry.get_sample_value("appliance_outages_total", {"crm": "demo", "cause": "live"}) == 1
    assert registry.get_sample_value("appliance_probe_duration_seconds_bucket", {"crm": "demo", "target": "live", "le": "0.3"}) == 1
    assert registry.get_sample_value("appliance_heartbeat_timestamp_seconds", {"collector": "probes"}) == pytest.approx(
        now.wall.timestamp()
    )


def test_a_crm_that_is_not_configured_has_no_series(ledger: Ledger, registry: CollectorRegistry) -> None:
    ledger.record_event(kind="backup", crm="gone", result="success", at=ENDED)
    assert b"gone" not in generate_latest(registry)


def test_a_ledger_that_cannot_be_read_leaves_the_host_readable(ledger: Ledger, registry: CollectorRegistry) -> None:
    ledger.close()
    text = generate_latest(registry).decode()
    assert 'appliance_collect_errors_total{collector="ledger"} 3.0' in text
    assert "appliance_filesystem_avail_bytes{" in text
    with pytest.raises(sqlite3.ProgrammingError):
        ledger.events()


def test_no_series_has_a_label_that_belongs_to_prometheus(registry: CollectorRegistry) -> None:
    labels = {label for family in registry.collect() for sample in family.samples for label in sample.labels}
    assert labels.isdisjoint({"instance", "job"})


def told(samples: Iterable[Metric]) -> list[tuple[str, str, dict[str, str], float]]:
    return [(family.name, family.type, one.labels, one.value) for family in samples for one in family.samples if not math.isnan(one.value)]


def test_the_text_says_what_prometheus_own_library_says(ledger: Ledger) -> None:
    awkward = Target.model_validate({"crm": "demo", "product": 'a "b" \\ c\nd', "release": "2", "probes": {"live": PROBE}})
    record_backup(ledger, "success", 0, bytes_processed=100)
    collector, frozen = ApplianceCollector(ledger, Status(targets=(awkward,)), CLOCK), "appliance_host_|appliance_filesystem_"
    written = text_string_to_metric_families(collector.write().decode())
    expected = text_string_to_metric_families(generate_latest(collector).decode())
    kept = [[one for one in told(families) if not re.match(frozen, one[0])] for families in (written, expected)]
    assert kept[0] == kept[1]
    assert len(kept[0]) > 100


def test_a_second_scrape_tells_what_came_since_the_first(ledger: Ledger, registry: CollectorRegistry) -> None:
    runs = BACKUP | {"result": "success"}
    record_backup(ledger, "success", 0)
    assert registry.get_sample_value("appliance_backup_runs_total", runs) == 1
    record_backup(ledger, "success", 1)
    assert registry.get_sample_value("appliance_backup_runs_total", runs) == 2
    assert registry.get_sample_value("appliance_backup_last_success_timestamp_seconds", BACKUP) == ENDED.timestamp() + 3600


def test_every_kind_of_operation_is_counted() -> None:
    assert set(WORKFLOWS) <= set(OPERATION_KINDS)
