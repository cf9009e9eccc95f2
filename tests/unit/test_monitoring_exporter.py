"""What Prometheus is told."""

import math
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from appliance.operations.workflows import WORKFLOWS
from monitoring.checks import Check
from monitoring.clock import open_clock
from monitoring.exporter.collector import ApplianceCollector
from monitoring.exporter.events import OPERATION_KINDS
from monitoring.exporter.latencies import Latencies
from monitoring.facts import LOG_REPLAYED, LOG_SHIPPED, NOTIFICATIONS, SECURITY_SINCE, UPDATES
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


def test_what_is_promised_is_told_of_each_crm(registry: CollectorRegistry) -> None:
    assert registry.get_sample_value("appliance_slo_objective_ratio", {"crm": "demo", "slo": "availability"}) == 0.995
    assert registry.get_sample_value("appliance_slo_latency_bound", {"crm": "demo", "bound": "2.0"}) == 1
    assert registry.get_sample_value("appliance_rpo_objective_seconds", {"crm": "demo"}) == 26 * 3600
    assert registry.get_sample_value("appliance_rto_objective_seconds", {"crm": "demo"}) is None
    assert registry.get_sample_value("appliance_backup_interval_seconds", {"crm": "demo"}) == 86_400


def test_the_bound_of_latency_is_a_bucket_of_the_probes(ledger: Ledger, registry: CollectorRegistry) -> None:
    now = CLOCK()
    ledger.record([], [Check(crm="demo", target="live", healthy=True, duration_seconds=1.5)], now)
    bounds = {sample.labels["bound"] for sample in samples(registry.collect(), "appliance_slo_latency_bound")}
    buckets = {sample.labels["le"] for sample in samples(registry.collect(), "appliance_probe_duration_seconds_bucket")}
    assert bounds
    assert bounds <= buckets


def samples(families: Iterable[Metric], name: str) -> list[Sample]:
    return [sample for family in families for sample in family.samples if sample.name == name]


def test_the_error_budget_is_what_downtime_left_of_it(ledger: Ledger, registry: CollectorRegistry) -> None:
    began = CLOCK()
    for seconds, state in ((0, State.UP), (3000, State.DOWN), (3015, State.UP), (3030, State.UP)):
        at = replace(began, wall=began.wall + timedelta(seconds=seconds), boot_seconds=began.boot_seconds - 4000 + seconds)
        seen = Observation(crm="demo", target=SERVICE, state=state, at=at, believed_seconds=9999, believed_after_start_seconds=9999)
        ledger.record([seen], [], at)
    left = registry.get_sample_value("appliance_slo_error_budget_remaining_ratio", {"crm": "demo", "slo": "availability"})
    assert left == pytest.approx(1 - 15 / 3030 / 0.005)


def test_the_error_budget_of_latency_is_what_slow_probes_left_of_it(ledger: Ledger, registry: CollectorRegistry) -> None:
    took = [0.2] * 99 + [2.5]
    ledger.record([], [Check(crm="demo", target="ready", healthy=True, duration_seconds=seconds) for seconds in took], CLOCK())
    left = registry.get_sample_value("appliance_slo_error_budget_remaining_ratio", {"crm": "demo", "slo": "latency"})
    assert left == pytest.approx(1 - 0.01 / 0.05)


def test_a_month_of_latency_is_added_up_day_by_day(ledger: Ledger) -> None:
    now, latencies = CLOCK(), Latencies(ledger)
    fast = Check(crm="demo", target="deep", healthy=True, duration_seconds=0.2)
    for days_ago in (31, 29, 1, 0):
        at = replace(now, wall=now.wall - timedelta(days=days_ago), boot_seconds=now.boot_seconds - days_ago * 86_400)
        ledger.record([], [fast], at)
    noon = ledger.position_ms(now) // 86_400_000 * 86_400_000 + 43_200_000
    assert sum(latencies.of_a_month(["demo"], noon)["demo"]) == 3
    ledger.record([], [fast], now)
    assert sum(latencies.of_a_month(["demo"], noon + 60_000)["demo"]) == 3
    assert sum(latencies.of_a_month(["demo"], noon + 120_000)["demo"]) == 4
    assert sum(latencies.of_a_month(["demo"], noon + 86_400_000)["demo"]) == 3
    assert latencies.of_a_month(["other"], noon + 86_400_000) == {}


@pytest.mark.parametrize(
    ("kind", "name", "labels"),
    [
        ("backup", "appliance_backup_failed", BACKUP),
        ("drill", "appliance_restore_drill_failed", {"crm": "demo", "kind": "full"}),
        ("check", "appliance_repository_check_failed", {"crm": "demo"}),
    ],
)
def test_only_the_last_run_counts_as_failed(
    ledger: Ledger, registry: CollectorRegistry, kind: str, name: str, labels: dict[str, str]
) -> None:
    seen = []
    for hours, result in enumerate(("failed", "succeeded", "cancelled")):
        ledger.record_event(kind=kind, crm="demo", result=result, at=ENDED + timedelta(hours=hours))
        seen.append(registry.get_sample_value(name, labels))
    assert seen == [1, 0, 0]


def test_an_operation_needs_attention_until_the_next_one_ended(ledger: Ledger, registry: CollectorRegistry) -> None:
    seen = []
    for hours, result in enumerate(("needs_attention", "rolled_back")):
        for subject in ("demo", "host:web2"):
            ledger.record_event(kind="upgrade", crm=subject, result=result, at=ENDED + timedelta(hours=hours))
        names = ({"subject": "demo"}, {"subject": "host:web2"})
        seen.append([registry.get_sample_value("appliance_operation_needs_attention", labels) for labels in names])
    assert seen == [[1, 1], [0, None]]


def test_a_crm_in_maintenance_is_told_apart_from_one_that_is_down(ledger: Ledger, registry: CollectorRegistry) -> None:
    now = CLOCK()
    seen = Observation(crm="demo", target=SERVICE, state=State.MAINTENANCE, at=now, believed_seconds=60, believed_after_start_seconds=60)
    ledger.record([seen], [], now)
    assert registry.get_sample_value("appliance_crm_maintenance", {"crm": "demo"}) == 1
    assert registry.get_sample_value("appliance_probe_up", {"crm": "demo", "target": SERVICE}) == 0


def test_facts_are_told_as_they_were_last(ledger: Ledger, registry: CollectorRegistry) -> None:
    ledger.tell_facts(UPDATES, {("web1", "security"): 3, ("web2", "security"): 1})
    ledger.tell_facts(UPDATES, {("web2", "security"): 2})
    ledger.tell_facts(SECURITY_SINCE, {("web2", ""): 5000})
    ledger.tell_facts(NOTIFICATIONS, {("ops", "failed"): 4})
    ledger.tell_facts(LOG_REPLAYED, {("demo", ""): 4096.0, ("gone", ""): 1.0})
    assert registry.get_sample_value("appliance_log_replayed_bytes", {"crm": "demo"}) == 4096
    assert registry.get_sample_value("appliance_log_replayed_bytes", {"crm": "gone"}) is None
    assert registry.get_sample_value("appliance_updates_pending", {"host": "web1", "class": "security"}) is None
    assert registry.get_sample_value("appliance_updates_pending", {"host": "web2", "class": "security"}) == 2
    assert registry.get_sample_value("appliance_updates_security_since_timestamp_seconds", {"host": "web2"}) == 5000
    assert registry.get_sample_value("appliance_notifications_total", {"channel": "ops", "result": "failed"}) == 4


def test_the_log_that_was_shipped_counts_as_recoverable_once_there_is_a_recovery_point(ledger: Ledger, registry: CollectorRegistry) -> None:
    shipped = (ENDED + timedelta(hours=5)).timestamp()
    ledger.tell_facts(LOG_SHIPPED, {("demo", "local"): shipped, ("gone", "local"): shipped})
    point = {"crm": "demo", "repository": "local"}
    seen = [registry.get_sample_value("appliance_recovery_point_timestamp_seconds", point)]
    record_backup(ledger, "succeeded", 0)
    seen.append(registry.get_sample_value("appliance_recovery_point_timestamp_seconds", point))
    assert seen == [0, shipped]
    assert registry.get_sample_value("appliance_log_shipped_timestamp_seconds", {"crm": "gone", "repository": "local"}) is None


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's prometheus")
def test_promtool_finds_no_fault_in_what_is_told(ledger: Ledger) -> None:
    for name in (UPDATES, SECURITY_SINCE, NOTIFICATIONS, LOG_SHIPPED, LOG_REPLAYED):
        ledger.tell_facts(name, {("demo", "local"): 1.0})
    told = ApplianceCollector(ledger, Status(targets=(TARGET,), certificate_ends={"demo": 1.0}), CLOCK).write()
    checked = subprocess.run(["promtool", "check", "metrics"], input=told, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
