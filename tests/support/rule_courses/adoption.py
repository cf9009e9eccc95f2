"""How much people work with a CRM."""

from tests.support.rule_courses.course import DEMO, HOUR, Course, flat

ADOPTION = (
    Course(
        name="a week without a change, and a CRM that nobody has used yet",
        rule="NobodyUpdates",
        series=flat("appliance_adoption_newest_change_timestamp_seconds", DEMO, (200, HOUR), (10, 199.0 * HOUR))
        | flat("appliance_adoption_newest_change_timestamp_seconds", {"crm": "new"}, (210, 0.0)),
        step_seconds=HOUR,
        fires=(171 * HOUR, 199 * HOUR),
        silent=(169 * HOUR, 170 * HOUR, 200 * HOUR),
    ),
    Course(
        name="a sales team that stopped updating, while the others go on",
        rule="DepartmentStoppedUpdating",
        series=flat("appliance_adoption_last_active_timestamp_seconds", DEMO | {"department": "Sales"}, (240, HOUR), (10, 216.0 * HOUR))
        | flat("appliance_adoption_last_active_timestamp_seconds", DEMO | {"department": "Support"}, (250, 100.0 * HOUR))
        | flat("appliance_adoption_last_active_timestamp_seconds", DEMO | {"department": "New"}, (250, 0.0)),
        labels=DEMO | {"department": "Sales"},
        step_seconds=HOUR,
        fires=(195 * HOUR, 239 * HOUR),
        silent=(193 * HOUR, 194 * HOUR, 240 * HOUR),
    ),
)
