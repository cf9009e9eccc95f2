"""Courses of things, one or more for each alert rule: series over time, and at which seconds the rule has to fire or be silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60, 3600, 86_400
DEMO = {"crm": "demo"}
ROOT = {"host": "crm1", "mountpoint": "/"}
GB = 1e9


@dataclass(frozen=True, kw_only=True)
class Course:
    """`series` are values a step apart, from 0 on; `labels` are those of the alert that fires."""

    name: str
    rule: str
    series: Mapping[str, Sequence[float]]
    labels: Mapping[str, str] = field(default_factory=lambda: DEMO)
    fires: Sequence[int] = ()
    silent: Sequence[int] = ()
    step_seconds: int = MINUTE


def shown(name: str, labels: Mapping[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{told}}}" if labels else name


def flat(name: str, labels: Mapping[str, str], *parts: tuple[int, float]) -> dict[str, list[float]]:
    """A series that keeps each value for so many steps."""
    return {shown(name, labels): [value for steps, value in parts for _ in range(steps)]}


def states(*parts: tuple[int, str], seconds: int = MINUTE, promised: float = 0.995) -> dict[str, list[float]]:
    """Time that a CRM spent in each state, from the states of its steps."""
    told = [state for steps, state in parts for _ in range(steps)]
    series = flat("appliance_slo_objective_ratio", DEMO | {"slo": "availability"}, (len(told) + 1, promised))
    series |= flat("appliance_crm_maintenance", DEMO, *[(steps, float(state == "maintenance")) for steps, state in parts], (1, 0.0))
    for state in ("up", "degraded", "down", "maintenance", "unknown"):
        spent = [0.0]
        for one in told:
            spent.append(spent[-1] + seconds * (one == state))
        series[shown("appliance_probe_state_seconds_total", DEMO | {"target": "service", "state": state})] = spent
    return series


def latency(*parts: tuple[int, float]) -> dict[str, list[float]]:
    """Four probes a minute, of which a share is fast enough; more buckets than the one that counts."""
    target = DEMO | {"target": "ready"}
    series = flat("appliance_slo_objective_ratio", DEMO | {"slo": "latency"}, (sum(steps for steps, _ in parts) + 1, 0.95))
    series |= flat("appliance_slo_latency_bound", DEMO | {"bound": "2.0"}, (sum(steps for steps, _ in parts) + 1, 1.0))
    fast, every = [0.0], [0.0]
    for share in [share for steps, share in parts for _ in range(steps)]:
        fast.append(fast[-1] + 4 * share)
        every.append(every[-1] + 4)
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "2.0"})] = fast
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "0.05"})] = [0.0] * len(every)
    series[shown("appliance_probe_duration_seconds_bucket", target | {"le": "+Inf"})] = every
    series[shown("appliance_probe_duration_seconds_count", target)] = every
    return series


def down(*parts: tuple[int, float], maintenance: float = 0) -> dict[str, list[float]]:
    steps = sum(steps for steps, _ in parts)
    up = flat("appliance_probe_up", DEMO | {"target": "service"}, *parts)
    return (
        up
        | flat("appliance_probe_up", DEMO | {"target": "deep"}, (steps, 0.0))
        | flat("appliance_crm_maintenance", DEMO, (steps, maintenance))
    )


def flag(rule: str, name: str, labels: Mapping[str, str], *, last: int = 0, extra: Mapping[str, str] | None = None) -> Course:
    """A gauge that is 0, then 1 for half an hour, then 0 again; the rule waits for `last` seconds."""
    begins, ends = 10 * MINUTE, 40 * MINUTE
    series = flat(name, {**labels, **(extra or {})}, (10, 0.0), (30, 1.0), (10, 0.0))
    alert = {**labels, **(extra or {})}
    return Course(
        name=rule,
        rule=rule,
        series=series,
        labels=alert,
        fires=(begins + last, ends - MINUTE),
        silent=(begins - MINUTE, begins + last - MINUTE, ends),
    )


BACKUP = {"kind": "logical", "repository": "local"}
COURSES = (
    Course(
        name="down",
        rule="CrmDown",
        series=down((5, 1.0), (10, 0.0), (5, 1.0)),
        labels=DEMO | {"target": "service"},
        fires=(420, 840),
        silent=(240, 360, 900),
    ),
    Course(name="down in maintenance", rule="CrmDown", series=down((20, 0.0), maintenance=1), silent=(300, 1140)),
    Course(
        name="down for ten minutes",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (60, "up")),
        fires=(125 * MINUTE, 131 * MINUTE),
        silent=(119 * MINUTE, 122 * MINUTE, 140 * MINUTE),
    ),
    Course(
        name="down, then maintenance",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (20, "maintenance"), (10, "up")),
        fires=(129 * MINUTE,),
        silent=(131 * MINUTE, 145 * MINUTE),
    ),
    Course(
        name="down in a stretch that hardly anybody saw",
        rule="AvailabilityBurnsFast",
        series=states((50, "unknown"), (10, "down"), (5, "down")),
        silent=(60 * MINUTE, 63 * MINUTE),
    ),
    Course(
        name="a loose promise",
        rule="AvailabilityBurnsFast",
        series=states((120, "up"), (10, "down"), (10, "up"), promised=0.95),
        silent=(125 * MINUTE, 130 * MINUTE),
    ),
    Course(
        name="down for fifteen minutes of six hours",
        rule="AvailabilityBurns",
        series=states((360, "up"), (15, "down"), (60, "up")),
        fires=(374 * MINUTE, 380 * MINUTE),
        silent=(360 * MINUTE, 365 * MINUTE, 420 * MINUTE),
    ),
    Course(
        name="down for half an hour of a day",
        rule="AvailabilityBurnsSlowly",
        series=states((288, "up"), (6, "down"), (40, "up"), seconds=5 * MINUTE),
        step_seconds=5 * MINUTE,
        fires=(294 * 5 * MINUTE,),
        silent=(288 * 5 * MINUTE, 290 * 5 * MINUTE, 325 * 5 * MINUTE),
    ),
    Course(
        name="down for half an hour of three days",
        rule="AvailabilityTrickles",
        series=states((864, "up"), (6, "down"), (120, "up"), seconds=5 * MINUTE),
        step_seconds=5 * MINUTE,
        fires=(870 * 5 * MINUTE,),
        silent=(864 * 5 * MINUTE, 866 * 5 * MINUTE, 960 * 5 * MINUTE),
    ),
    Course(
        name="slow for three hours",
        rule="LatencyBurns",
        series=latency((360, 1.0), (180, 0.3), (60, 1.0)),
        fires=(539 * MINUTE,),
        silent=(359 * MINUTE, 370 * MINUTE, 590 * MINUTE),
    ),
    Course(
        name="a night without a backup",
        rule="BackupMissing",
        series=flat("appliance_backup_last_success_timestamp_seconds", DEMO | BACKUP, (24, HOUR), (49, 0.5 * DAY), (10, 3 * DAY))
        | flat("appliance_backup_last_success_timestamp_seconds", DEMO | {"kind": "logical", "repository": "offsite"}, (83, HOUR))
        | flat("appliance_backup_interval_seconds", DEMO, (83, DAY)),
        step_seconds=HOUR,
        fires=(62 * HOUR, 72 * HOUR),
        silent=(59 * HOUR, 60 * HOUR, 61 * HOUR, 73 * HOUR),
    ),
    Course(
        name="a CRM in maintenance that has no backup",
        rule="BackupMissing",
        series=flat("appliance_backup_last_success_timestamp_seconds", DEMO | BACKUP, (83, 0.0))
        | flat("appliance_backup_interval_seconds", DEMO, (83, DAY))
        | flat("appliance_crm_maintenance", DEMO, (83, 1.0)),
        step_seconds=HOUR,
        fires=(50 * HOUR,),
        silent=(47 * HOUR,),
    ),
    Course(
        name="an hour promised",
        rule="RpoBreached",
        series=flat("appliance_recovery_point_timestamp_seconds", DEMO | {"repository": "local"}, (90, 0.0), (30, 80 * MINUTE))
        | flat("appliance_rpo_objective_seconds", DEMO, (120, HOUR)),
        fires=(66 * MINUTE, 89 * MINUTE),
        silent=(60 * MINUTE, 65 * MINUTE, 90 * MINUTE),
    ),
    flag("BackupFailed", "appliance_backup_failed", DEMO, extra=BACKUP),
    flag("DrillFailed", "appliance_restore_drill_failed", DEMO, extra={"kind": "full"}),
    flag("RepositoryCheckFailed", "appliance_repository_check_failed", DEMO),
    flag("OperationNeedsAttention", "appliance_operation_needs_attention", {"subject": "host:crm1"}),
    flag("NotificationFailing", "appliance_notification_failing", {"channel": "ops"}, last=15 * MINUTE),
    Course(
        name="eight days without proof",
        rule="DrillOverdue",
        series=flat("appliance_restore_drill_last_success_timestamp_seconds", DEMO | {"kind": "full"}, (200, HOUR), (10, 199.0 * HOUR)),
        step_seconds=HOUR,
        fires=(195 * HOUR, 199 * HOUR),
        silent=(192 * HOUR, 193 * HOUR, 200 * HOUR),
    ),
    Course(
        name="a slow drill",
        rule="RtoExceeded",
        series=flat("appliance_restore_drill_duration_seconds", DEMO | {"kind": "full"}, (10, 500.0), (10, 700.0))
        | flat("appliance_rto_objective_seconds", DEMO, (20, 600.0))
        | flat("appliance_restore_drill_duration_seconds", {"crm": "unpromised", "kind": "full"}, (20, 9000.0)),
        fires=(10 * MINUTE,),
        silent=(9 * MINUTE,),
    ),
    Course(
        name="a log that stands still",
        rule="LogNotShipped",
        series=flat("appliance_log_shipped_timestamp_seconds", DEMO | {"repository": "offsite"}, (30, 0.0), (5, 29 * MINUTE)),
        labels=DEMO | {"repository": "offsite"},
        fires=(16 * MINUTE, 29 * MINUTE),
        silent=(10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    ),
    Course(
        name="two gigabytes an hour",
        rule="DiskFilling",
        series={
            shown("appliance_filesystem_avail_bytes", ROOT): [28 * GB - minute * 2 * GB / 60 for minute in range(240)] + [60 * GB] * 30,
            shown("appliance_filesystem_size_bytes", ROOT): [100 * GB] * 270,
            shown("appliance_filesystem_avail_bytes", ROOT | {"mountpoint": "/steady"}): [20 * GB] * 270,
            shown("appliance_filesystem_size_bytes", ROOT | {"mountpoint": "/steady"}): [100 * GB] * 270,
        },
        labels=ROOT,
        fires=(120 * MINUTE, 239 * MINUTE),
        silent=(20 * MINUTE, 241 * MINUTE),
    ),
    Course(
        name="nine of a hundred",
        rule="DiskNearlyFull",
        series=flat("appliance_filesystem_avail_bytes", ROOT, (5, 11 * GB), (10, 9 * GB), (5, 11 * GB))
        | flat("appliance_filesystem_size_bytes", ROOT, (20, 100 * GB)),
        labels=ROOT,
        fires=(10 * MINUTE, 14 * MINUTE),
        silent=(4 * MINUTE, 9 * MINUTE, 15 * MINUTE),
    ),
    Course(
        name="a filesystem without inodes of its own, and one that has few left",
        rule="InodesNearlyGone",
        series=flat("appliance_filesystem_files_free", ROOT, (20, 4.0))
        | flat("appliance_filesystem_files", ROOT, (20, 100.0))
        | flat("appliance_filesystem_files_free", ROOT | {"mountpoint": "/pool"}, (20, 0.0))
        | flat("appliance_filesystem_files", ROOT | {"mountpoint": "/pool"}, (20, 0.0)),
        labels=ROOT,
        fires=(5 * MINUTE,),
        silent=(4 * MINUTE,),
    ),
    Course(
        name="three weeks",
        rule="CertificateEnding",
        series=flat("appliance_certificate_not_after_timestamp_seconds", DEMO | {"purpose": "site"}, (30, 22.0 * DAY), (10, 90.0 * DAY)),
        labels=DEMO | {"purpose": "site"},
        step_seconds=HOUR,
        fires=(26 * HOUR, 29 * HOUR),
        silent=(24 * HOUR, 25 * HOUR, 30 * HOUR),
    ),
    Course(
        name="three days",
        rule="CertificateAtItsEnd",
        series=flat("appliance_certificate_not_after_timestamp_seconds", DEMO | {"purpose": "site"}, (30, 4.0 * DAY), (10, 90.0 * DAY)),
        labels=DEMO | {"purpose": "site"},
        step_seconds=HOUR,
        fires=(25 * HOUR, 29 * HOUR),
        silent=(24 * HOUR, 30 * HOUR),
    ),
    Course(
        name="updates for a week, and a host that has none",
        rule="SecurityUpdatesOld",
        series=flat("appliance_updates_security_since_timestamp_seconds", {"host": "crm1"}, (200, HOUR), (10, 0.0))
        | flat("appliance_updates_security_since_timestamp_seconds", {"host": "crm2"}, (210, 0.0)),
        labels={"host": "crm1"},
        step_seconds=HOUR,
        fires=(171 * HOUR, 199 * HOUR),
        silent=(169 * HOUR, 170 * HOUR, 200 * HOUR),
    ),
    Course(
        name="a restart for a week, and a host that needs none",
        rule="RebootRequiredLong",
        series=flat("appliance_reboot_required_since_timestamp_seconds", {"host": "crm1"}, (200, HOUR), (10, 0.0))
        | flat("appliance_reboot_required_since_timestamp_seconds", {"host": "crm2"}, (210, 0.0)),
        labels={"host": "crm1"},
        step_seconds=HOUR,
        fires=(171 * HOUR, 199 * HOUR),
        silent=(169 * HOUR, 170 * HOUR, 200 * HOUR),
    ),
    Course(
        name="a clock that was set",
        rule="ClockStepped",
        series=flat("appliance_clock_steps_total", {"direction": "forward"}, (10, 0.0), (90, 1.0))
        | flat("appliance_clock_steps_total", {"direction": "backward"}, (100, 3.0)),
        labels={},
        fires=(11 * MINUTE, 60 * MINUTE),
        silent=(9 * MINUTE, 72 * MINUTE),
    ),
    Course(
        name="a monitor that was away",
        rule="MonitorGap",
        series=flat("appliance_monitor_coverage_ratio", {"window": "1d"}, (5, 1.0), (25, 0.97), (5, 0.99))
        | flat("appliance_monitor_coverage_ratio", {"window": "1h"}, (35, 0.1)),
        labels={"window": "1d"},
        fires=(20 * MINUTE, 29 * MINUTE),
        silent=(4 * MINUTE, 19 * MINUTE, 30 * MINUTE),
    ),
    Course(
        name="a heartbeat that stopped",
        rule="MonitorStalled",
        series=flat("appliance_heartbeat_timestamp_seconds", {"collector": "probes"}, (10, 0.0), (5, 10 * MINUTE)),
        labels={"collector": "probes"},
        fires=(4 * MINUTE, 9 * MINUTE),
        silent=(2 * MINUTE, 3 * MINUTE, 10 * MINUTE),
    ),
    Course(
        name="an exporter that is gone",
        rule="ApplianceUnseen",
        series=flat("appliance_build_info", {"version": "0.1.0", "python": "3.11"}, (5, 1.0)),
        labels={},
        fires=(15 * MINUTE,),
        silent=(4 * MINUTE, 8 * MINUTE),
    ),
    Course(name="always", rule="Watchdog", series=flat("appliance_build_info", {}, (2, 1.0)), labels={}, fires=(0, MINUTE)),
)
