"""What is needed to bring a CRM back."""

from tests.support.rule_courses.course import DAY, DEMO, HOUR, MINUTE, Course, flag, flat

BACKUP = {"kind": "logical", "repository": "local"}
RECOVERY = (
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
    flag("BackupFailed", "appliance_backup_failed", DEMO, extra=BACKUP),
    Course(
        name="an hour promised",
        rule="RpoBreached",
        series=flat("appliance_recovery_point_timestamp_seconds", DEMO | {"repository": "local"}, (90, 0.0), (30, 80 * MINUTE))
        | flat("appliance_rpo_objective_seconds", DEMO, (120, HOUR)),
        fires=(66 * MINUTE, 89 * MINUTE),
        silent=(60 * MINUTE, 65 * MINUTE, 90 * MINUTE),
    ),
    flag("DrillFailed", "appliance_restore_drill_failed", DEMO, extra={"kind": "full"}),
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
    flag("RepositoryCheckFailed", "appliance_repository_check_failed", DEMO),
    Course(
        name="a log that stands still",
        rule="LogNotShipped",
        series=flat("appliance_log_shipped_timestamp_seconds", DEMO | {"repository": "offsite"}, (30, 0.0), (5, 29 * MINUTE)),
        labels=DEMO | {"repository": "offsite"},
        fires=(16 * MINUTE, 29 * MINUTE),
        silent=(10 * MINUTE, 15 * MINUTE, 30 * MINUTE),
    ),
)
