"""Hosts, disks, certificates and updates."""

from tests.support.rule_courses.course import DAY, DEMO, HOUR, MINUTE, Course, flat, shown

ROOT = {"host": "crm1", "mountpoint": "/"}
GB = 1e9
MACHINES = (
    Course(
        name="a host that is away for ten minutes",
        rule="HostUnreachable",
        series=flat("appliance_host_reachable", {"host": "web1"}, (5, 1.0), (10, 0.0), (5, 1.0))
        | flat("appliance_host_reachable", {"host": "new"}, (20, float("nan"))),
        labels={"host": "web1"},
        fires=(420, 840),
        silent=(240, 360, 900),
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
)
