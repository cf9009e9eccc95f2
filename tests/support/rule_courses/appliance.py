"""The appliance itself."""

from tests.support.rule_courses.course import MINUTE, Course, flag, flat

APPLIANCE = (
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
    flag("OperationNeedsAttention", "appliance_operation_needs_attention", {"subject": "host:crm1"}),
    flag("NotificationFailing", "appliance_notification_failing", {"channel": "ops"}, last=15 * MINUTE),
    Course(name="always", rule="Watchdog", series=flat("appliance_build_info", {}, (2, 1.0)), labels={}, fires=(0, MINUTE)),
)
