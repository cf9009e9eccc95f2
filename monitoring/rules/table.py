"""All alert rules. Thresholds are those of the SRE workbook, the node-exporter mixin, and the appliance's own promises."""

from datetime import timedelta

from monitoring.rules.budgets import AVAILABILITY, DAY, HOUR, LATENCY, MINUTE
from monitoring.rules.conditions import Absent, Always, EndsWithin, Exceeds, Grown, OlderThan, RunsOut, Share, Threshold
from monitoring.rules.rule import Rule, Severity
from monitoring.rules.series import Metric

AT_ONCE = timedelta()
CRM, HOST = ("crm",), ("host",)
DISK_LEFT, DISK = Metric(name="appliance_filesystem_avail_bytes"), Metric(name="appliance_filesystem_size_bytes")
INODES_LEFT, INODES = Metric(name="appliance_filesystem_files_free"), Metric(name="appliance_filesystem_files")
CERTIFICATE = Metric(name="appliance_certificate_not_after_timestamp_seconds")

OUTAGES = (
    Rule(
        name="CrmDown",
        severity=Severity.CRITICAL,
        condition=Threshold(metric=Metric(name="appliance_probe_up", where={"target": ("service",)}), comparison="==", figure=0),
        lasting=2 * MINUTE,
        muted_in_maintenance=True,
        summary="{crm} is down",
        description="{crm} has not answered as it should for two minutes. Nobody can work with it.",
    ),
    *AVAILABILITY,
    *LATENCY,
)
RECOVERY = (
    Rule(
        name="BackupMissing",
        severity=Severity.CRITICAL,
        condition=OlderThan(
            timestamp=Metric(name="appliance_backup_last_success_timestamp_seconds"),
            by=CRM,
            times=2,
            other=Metric(name="appliance_backup_interval_seconds"),
        ),
        lasting=HOUR,
        summary="{crm} has no backup of late",
        description="Two backups of {crm} in a row are missing, or it was never backed up.",
    ),
    Rule(
        name="BackupFailed",
        severity=Severity.WARNING,
        condition=Threshold(metric=Metric(name="appliance_backup_failed"), comparison="==", figure=1),
        lasting=AT_ONCE,
        summary="The last backup of {crm} failed",
        description="The last backup of {crm} failed, or is in some repositories only.",
    ),
    Rule(
        name="RpoBreached",
        severity=Severity.CRITICAL,
        condition=OlderThan(
            timestamp=Metric(name="appliance_recovery_point_timestamp_seconds"),
            by=CRM,
            other=Metric(name="appliance_rpo_objective_seconds"),
        ),
        lasting=5 * MINUTE,
        summary="More of {crm} could be lost than promised",
        description="The newest moment that {crm} could be brought back to is older than its recovery point objective.",
    ),
    Rule(
        name="DrillFailed",
        severity=Severity.CRITICAL,
        condition=Threshold(metric=Metric(name="appliance_restore_drill_failed"), comparison="==", figure=1),
        lasting=AT_ONCE,
        summary="The last restore drill of {crm} failed",
        description="A backup of {crm} could not be brought back when that was tried last.",
    ),
    Rule(
        name="DrillOverdue",
        severity=Severity.WARNING,
        condition=OlderThan(timestamp=Metric(name="appliance_restore_drill_last_success_timestamp_seconds"), by=CRM, length=8 * DAY),
        lasting=HOUR,
        summary="No backup of {crm} was proven of late",
        description="No restore drill of {crm} has succeeded for eight days.",
    ),
    Rule(
        name="RtoExceeded",
        severity=Severity.WARNING,
        condition=Exceeds(
            metric=Metric(name="appliance_restore_drill_duration_seconds"), other=Metric(name="appliance_rto_objective_seconds"), by=CRM
        ),
        lasting=AT_ONCE,
        summary="Bringing {crm} back takes longer than promised",
        description="The last restore drill of {crm} took longer than its recovery time objective.",
    ),
    Rule(
        name="RepositoryCheckFailed",
        severity=Severity.CRITICAL,
        condition=Threshold(metric=Metric(name="appliance_repository_check_failed"), comparison="==", figure=1),
        lasting=AT_ONCE,
        summary="A repository of {crm} may be damaged",
        description="The last check of the repositories of {crm} did not find them whole, or could not be carried out.",
    ),
    Rule(
        name="LogNotShipped",
        severity=Severity.CRITICAL,
        condition=OlderThan(timestamp=Metric(name="appliance_log_shipped_timestamp_seconds"), by=("crm", "repository"), length=10 * MINUTE),
        lasting=5 * MINUTE,
        summary="Changes of {crm} do not reach the repository {repository}",
        description="Every change of {crm} is to be kept, but none of the last ten minutes is in the repository {repository}.",
    ),
)
MACHINES = (
    Rule(
        name="HostUnreachable",
        severity=Severity.CRITICAL,
        condition=Threshold(metric=Metric(name="appliance_host_reachable"), comparison="==", figure=0),
        lasting=2 * MINUTE,
        summary="{host} does not answer",
        description="For two minutes {host} could not be asked for its CRMs. What visitors of these see is told when it answers.",
    ),
    Rule(
        name="DiskFilling",
        severity=Severity.WARNING,
        condition=RunsOut(left=DISK_LEFT, whole=DISK, below=0.3),
        lasting=30 * MINUTE,
        summary="{mountpoint} of {host} is full within a day",
        description="By the trend of six hours nothing is left of {mountpoint} on {host} within a day.",
    ),
    Rule(
        name="DiskNearlyFull",
        severity=Severity.CRITICAL,
        condition=Share(part=DISK_LEFT, whole=DISK, below=0.1),
        lasting=5 * MINUTE,
        summary="{mountpoint} of {host} is nearly full",
        description="Less than a tenth of {mountpoint} on {host} is left.",
    ),
    Rule(
        name="InodesNearlyGone",
        severity=Severity.CRITICAL,
        condition=Share(part=INODES_LEFT, whole=INODES, below=0.05),
        lasting=5 * MINUTE,
        summary="{mountpoint} of {host} can hold hardly any more files",
        description="Less than a twentieth of the inodes of {mountpoint} on {host} is left.",
    ),
    Rule(
        name="CertificateEnding",
        severity=Severity.WARNING,
        condition=EndsWithin(timestamp=CERTIFICATE, length=21 * DAY),
        lasting=HOUR,
        summary="The certificate of {crm} ends within three weeks",
        description="The certificate that {crm} shows should have been renewed by now.",
    ),
    Rule(
        name="CertificateAtItsEnd",
        severity=Severity.CRITICAL,
        condition=EndsWithin(timestamp=CERTIFICATE, length=3 * DAY),
        lasting=AT_ONCE,
        summary="The certificate of {crm} ends within three days",
        description="When the certificate that {crm} shows has ended, browsers let nobody in.",
    ),
    Rule(
        name="SecurityUpdatesOld",
        severity=Severity.WARNING,
        condition=OlderThan(
            timestamp=Metric(name="appliance_updates_security_since_timestamp_seconds"), by=HOST, length=7 * DAY, unless_zero=True
        ),
        lasting=HOUR,
        summary="Security updates of {host} wait for a week",
        description="Debian has had security updates for {host} for more than seven days.",
    ),
    Rule(
        name="RebootRequiredLong",
        severity=Severity.WARNING,
        condition=OlderThan(
            timestamp=Metric(name="appliance_reboot_required_since_timestamp_seconds"), by=HOST, length=7 * DAY, unless_zero=True
        ),
        lasting=HOUR,
        summary="{host} should have been restarted a week ago",
        description="An update that was installed on {host} works only after a restart, and has waited for it for more than seven days.",
    ),
)
ADOPTION = (
    Rule(
        name="NobodyUpdates",
        severity=Severity.WARNING,
        condition=OlderThan(
            timestamp=Metric(name="appliance_adoption_newest_change_timestamp_seconds"), by=CRM, length=7 * DAY, unless_zero=True
        ),
        lasting=HOUR,
        summary="Nobody has updated {crm} for a week",
        description="No record of {crm} was changed within seven days, though it may serve well.",
    ),
    Rule(
        name="DepartmentStoppedUpdating",
        severity=Severity.WARNING,
        condition=OlderThan(
            timestamp=Metric(name="appliance_adoption_last_active_timestamp_seconds"),
            by=("crm", "department"),
            length=8 * DAY,
            unless_zero=True,
        ),
        lasting=HOUR,
        summary="{department} has stopped updating {crm}",
        description="Nobody of {department} has changed a record of {crm} for a week, though somebody did before.",
    ),
)
APPLIANCE = (
    Rule(
        name="ClockStepped",
        severity=Severity.WARNING,
        condition=Grown(counter=Metric(name="appliance_clock_steps_total"), window=HOUR, by=()),
        lasting=AT_ONCE,
        summary="The clock of the appliance was set",
        description="The wall clock jumped by more than two seconds within the last hour. Times of backups and logs may be wrong.",
    ),
    Rule(
        name="MonitorGap",
        severity=Severity.WARNING,
        condition=Threshold(metric=Metric(name="appliance_monitor_coverage_ratio", where={"window": ("1d",)}), comparison="<", figure=0.98),
        lasting=15 * MINUTE,
        summary="The CRMs were not watched all of the time",
        description="Within the last day nobody saw the CRMs for more than half an hour, and an outage in that time would not be known.",
    ),
    Rule(
        name="MonitorStalled",
        severity=Severity.CRITICAL,
        condition=OlderThan(timestamp=Metric(name="appliance_heartbeat_timestamp_seconds"), by=("collector",), length=2 * MINUTE),
        lasting=MINUTE,
        summary="The monitor writes nothing down",
        description="The monitor answers, but its last heartbeat is older than two minutes. Outages are not seen.",
    ),
    Rule(
        name="ApplianceUnseen",
        severity=Severity.CRITICAL,
        condition=Absent(metric=Metric(name="appliance_build_info")),
        lasting=5 * MINUTE,
        summary="The appliance tells Prometheus nothing",
        description="No metrics of the appliance have arrived for five minutes: its monitor, its machine or the way there is gone.",
    ),
    Rule(
        name="OperationNeedsAttention",
        severity=Severity.CRITICAL,
        condition=Threshold(metric=Metric(name="appliance_operation_needs_attention"), comparison="==", figure=1),
        lasting=AT_ONCE,
        summary="An operation on {subject} needs attention",
        description="An operation on {subject} failed, and so did taking it back. It stays locked until an administrator has mended it.",
    ),
    Rule(
        name="NotificationFailing",
        severity=Severity.WARNING,
        condition=Threshold(metric=Metric(name="appliance_notification_failing"), comparison="==", figure=1),
        lasting=15 * MINUTE,
        summary="Notifications by {channel} do not arrive",
        description="For fifteen minutes no attempt to send by the channel {channel} has succeeded.",
    ),
    Rule(
        name="Watchdog",
        severity=Severity.NONE,
        condition=Always(),
        lasting=AT_ONCE,
        summary="Alerts get through",
        description="It always fires. Route it to a service outside that alerts when it no longer arrives.",
    ),
)
RULES: tuple[Rule, ...] = (*OUTAGES, *RECOVERY, *MACHINES, *ADOPTION, *APPLIANCE)
GROUPS = {"outages": OUTAGES, "recovery": RECOVERY, "machines": MACHINES, "adoption": ADOPTION, "appliance": APPLIANCE}
